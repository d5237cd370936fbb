include!(concat!(env!("OUT_DIR"), "/limits_pausing_what_keeps_failing.rs"));
