include!(concat!(env!("OUT_DIR"), "/rexecutor_sqlx_copy_mod.rs"));
