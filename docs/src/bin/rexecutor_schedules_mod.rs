include!(concat!(env!("OUT_DIR"), "/rexecutor_schedules_mod.rs"));
