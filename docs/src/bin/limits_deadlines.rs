include!(concat!(env!("OUT_DIR"), "/limits_deadlines.rs"));
