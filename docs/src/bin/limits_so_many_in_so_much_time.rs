include!(concat!(env!("OUT_DIR"), "/limits_so_many_in_so_much_time.rs"));
