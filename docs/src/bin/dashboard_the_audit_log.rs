include!(concat!(env!("OUT_DIR"), "/dashboard_the_audit_log.rs"));
