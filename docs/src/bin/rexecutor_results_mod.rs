include!(concat!(env!("OUT_DIR"), "/rexecutor_results_mod.rs"));
