include!(concat!(env!("OUT_DIR"), "/rexecutor_cluster_2.rs"));
