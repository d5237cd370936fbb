use rexecutor::prelude::*;

#[job(concurrency(key = "customer", limit = 2))]
async fn mail(_to: String) {}

fn main() {}
