include!(concat!(env!("OUT_DIR"), "/middleware_before_jobs_are_enqueued.rs"));
