include!(concat!(env!("OUT_DIR"), "/limits_so_many_at_once_on_all_nodes.rs"));
