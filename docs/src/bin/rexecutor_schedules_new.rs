include!(concat!(env!("OUT_DIR"), "/rexecutor_schedules_new.rs"));
