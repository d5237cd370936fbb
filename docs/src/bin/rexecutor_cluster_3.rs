include!(concat!(env!("OUT_DIR"), "/rexecutor_cluster_3.rs"));
