use rexecutor::prelude::*;

#[job(concurrency(key = |data| data))]
async fn mail(_to: String) {}

fn main() {}
