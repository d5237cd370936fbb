include!(concat!(env!("OUT_DIR"), "/rexecutor_middleware.rs"));
