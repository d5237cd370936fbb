include!(concat!(env!("OUT_DIR"), "/rexecutor_sqlx_doctor_mod.rs"));
