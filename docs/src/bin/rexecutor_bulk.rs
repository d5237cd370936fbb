include!(concat!(env!("OUT_DIR"), "/rexecutor_bulk.rs"));
