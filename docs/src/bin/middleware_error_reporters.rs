include!(concat!(env!("OUT_DIR"), "/middleware_error_reporters.rs"));
