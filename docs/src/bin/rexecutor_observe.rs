include!(concat!(env!("OUT_DIR"), "/rexecutor_observe.rs"));
