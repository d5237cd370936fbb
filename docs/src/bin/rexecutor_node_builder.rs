include!(concat!(env!("OUT_DIR"), "/rexecutor_node_builder.rs"));
