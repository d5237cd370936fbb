include!(concat!(env!("OUT_DIR"), "/limits_what_a_job_costs.rs"));
