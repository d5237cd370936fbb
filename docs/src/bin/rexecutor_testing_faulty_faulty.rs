include!(concat!(env!("OUT_DIR"), "/rexecutor_testing_faulty_faulty.rs"));
