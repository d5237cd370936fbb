include!(concat!(env!("OUT_DIR"), "/rexecutor_testing_mod_2.rs"));
