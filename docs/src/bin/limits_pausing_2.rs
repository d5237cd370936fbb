include!(concat!(env!("OUT_DIR"), "/limits_pausing_2.rs"));
