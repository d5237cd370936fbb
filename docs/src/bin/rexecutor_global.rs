include!(concat!(env!("OUT_DIR"), "/rexecutor_global.rs"));
