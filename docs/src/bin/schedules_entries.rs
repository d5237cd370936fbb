include!(concat!(env!("OUT_DIR"), "/schedules_entries.rs"));
