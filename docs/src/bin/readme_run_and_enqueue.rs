include!(concat!(env!("OUT_DIR"), "/readme_run_and_enqueue.rs"));
