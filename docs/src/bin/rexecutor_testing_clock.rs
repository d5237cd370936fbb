include!(concat!(env!("OUT_DIR"), "/rexecutor_testing_clock.rs"));
