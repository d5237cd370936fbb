include!(concat!(env!("OUT_DIR"), "/rexecutor_builder_hooks.rs"));
