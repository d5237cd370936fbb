include!(concat!(env!("OUT_DIR"), "/rexecutor_testing_mod_3.rs"));
