include!(concat!(env!("OUT_DIR"), "/limits_one_after_another.rs"));
