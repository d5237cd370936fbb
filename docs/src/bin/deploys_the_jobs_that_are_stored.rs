include!(concat!(env!("OUT_DIR"), "/deploys_the_jobs_that_are_stored.rs"));
