include!(concat!(env!("OUT_DIR"), "/rexecutor_sqlx_sqlite_open.rs"));
