use rexecutor::prelude::*;

#[job(ordered_by = |to| to, on_discard = stop)]
async fn mail(_to: String) {}

fn main() {}
