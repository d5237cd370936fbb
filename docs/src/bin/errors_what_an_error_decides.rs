include!(concat!(env!("OUT_DIR"), "/errors_what_an_error_decides.rs"));
