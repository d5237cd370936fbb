include!(concat!(env!("OUT_DIR"), "/events_events.rs"));
