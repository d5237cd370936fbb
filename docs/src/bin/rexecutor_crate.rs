include!(concat!(env!("OUT_DIR"), "/rexecutor_crate.rs"));
