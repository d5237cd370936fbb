include!(concat!(env!("OUT_DIR"), "/services_a_program_that_runs_jobs.rs"));
