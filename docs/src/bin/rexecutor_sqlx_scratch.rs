include!(concat!(env!("OUT_DIR"), "/rexecutor_sqlx_scratch.rs"));
