include!(concat!(env!("OUT_DIR"), "/limits_pausing.rs"));
