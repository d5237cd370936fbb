include!(concat!(env!("OUT_DIR"), "/results_a_job_that_gives_something.rs"));
