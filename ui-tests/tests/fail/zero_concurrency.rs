use rexecutor::prelude::*;

#[job(max_concurrency = 0)]
async fn mail(_to: String) {}

fn main() {}
