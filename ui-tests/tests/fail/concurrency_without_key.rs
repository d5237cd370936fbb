use rexecutor::prelude::*;

#[job(concurrency(limit = 5))]
async fn mail(_to: String) {}

fn main() {}
