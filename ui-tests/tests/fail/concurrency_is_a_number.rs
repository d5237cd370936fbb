use rexecutor::prelude::*;

#[job(concurrency = 5)]
async fn mail(_to: String) {}

fn main() {}
