use rexecutor::prelude::*;

#[job(unique(on_conflict = raise))]
async fn mail(_to: String) {}

fn main() {}
