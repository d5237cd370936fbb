include!(concat!(env!("OUT_DIR"), "/rexecutor_job.rs"));
