include!(concat!(env!("OUT_DIR"), "/services_stored_together_with_your_own_rows.rs"));
