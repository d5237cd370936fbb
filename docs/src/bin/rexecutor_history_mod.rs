include!(concat!(env!("OUT_DIR"), "/rexecutor_history_mod.rs"));
