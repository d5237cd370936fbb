include!(concat!(env!("OUT_DIR"), "/limits_so_many_of_one_key.rs"));
