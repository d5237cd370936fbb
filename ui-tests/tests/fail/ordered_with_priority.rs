use rexecutor::prelude::*;

#[job(ordered_by = |to| to, priority = 3)]
async fn mail(_to: String) {}

fn main() {}
