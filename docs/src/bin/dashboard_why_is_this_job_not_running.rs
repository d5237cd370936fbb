include!(concat!(env!("OUT_DIR"), "/dashboard_why_is_this_job_not_running.rs"));
