include!(concat!(env!("OUT_DIR"), "/batches_jobs_that_add_jobs.rs"));
