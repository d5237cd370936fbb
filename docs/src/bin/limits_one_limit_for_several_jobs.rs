include!(concat!(env!("OUT_DIR"), "/limits_one_limit_for_several_jobs.rs"));
