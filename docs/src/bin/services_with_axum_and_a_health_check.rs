include!(concat!(env!("OUT_DIR"), "/services_with_axum_and_a_health_check.rs"));
