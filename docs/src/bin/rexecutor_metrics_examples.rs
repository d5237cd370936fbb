include!(concat!(env!("OUT_DIR"), "/rexecutor_metrics_examples.rs"));
