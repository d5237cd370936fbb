include!(concat!(env!("OUT_DIR"), "/rexecutor_cluster_tags.rs"));
