include!(concat!(env!("OUT_DIR"), "/results_streams.rs"));
