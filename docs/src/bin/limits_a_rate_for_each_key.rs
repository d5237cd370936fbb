include!(concat!(env!("OUT_DIR"), "/limits_a_rate_for_each_key.rs"));
