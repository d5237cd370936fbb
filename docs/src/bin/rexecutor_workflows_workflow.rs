include!(concat!(env!("OUT_DIR"), "/rexecutor_workflows_workflow.rs"));
