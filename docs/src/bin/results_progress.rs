include!(concat!(env!("OUT_DIR"), "/results_progress.rs"));
