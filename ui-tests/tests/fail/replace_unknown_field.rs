use rexecutor::prelude::*;

#[job(unique(on_conflict = replace(prioritty)))]
async fn mail(_to: String) {}

fn main() {}
