use rexecutor::prelude::*;

#[job(ordered_by = |to| to, concurrency(key = |to| to, limit = 1))]
async fn mail(_to: String) {}

fn main() {}
