include!(concat!(env!("OUT_DIR"), "/rexecutor_node_rexecutor_2.rs"));
