include!(concat!(env!("OUT_DIR"), "/rexecutor_node_rexecutor.rs"));
