include!(concat!(env!("OUT_DIR"), "/rexecutor_results_any_job.rs"));
