include!(concat!(env!("OUT_DIR"), "/rexecutor_workflows_mod.rs"));
