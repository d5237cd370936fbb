include!(concat!(env!("OUT_DIR"), "/rexecutor_sqlx_any_options.rs"));
