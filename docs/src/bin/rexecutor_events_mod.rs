include!(concat!(env!("OUT_DIR"), "/rexecutor_events_mod.rs"));
