include!(concat!(env!("OUT_DIR"), "/errors_being_told.rs"));
