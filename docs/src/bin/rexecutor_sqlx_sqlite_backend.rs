include!(concat!(env!("OUT_DIR"), "/rexecutor_sqlx_sqlite_backend.rs"));
