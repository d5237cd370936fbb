include!(concat!(env!("OUT_DIR"), "/workflows_workflows.rs"));
