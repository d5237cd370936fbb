include!(concat!(env!("OUT_DIR"), "/services_a_program_that_only_enqueues.rs"));
