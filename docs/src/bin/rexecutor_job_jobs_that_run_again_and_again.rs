include!(concat!(env!("OUT_DIR"), "/rexecutor_job_jobs_that_run_again_and_again.rs"));
