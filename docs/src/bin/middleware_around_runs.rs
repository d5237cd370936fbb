include!(concat!(env!("OUT_DIR"), "/middleware_around_runs.rs"));
