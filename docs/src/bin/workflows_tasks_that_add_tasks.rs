include!(concat!(env!("OUT_DIR"), "/workflows_tasks_that_add_tasks.rs"));
