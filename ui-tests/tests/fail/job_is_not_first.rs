use rexecutor::prelude::*;

#[job]
async fn mail(_to: String, _job: Job<String, ()>) {}

fn main() {}
