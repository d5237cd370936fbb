include!(concat!(env!("OUT_DIR"), "/rexecutor_schema_snapshot.rs"));
