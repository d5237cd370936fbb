use rexecutor::prelude::*;

#[job(concurrency(key = |data| data, limit = 0))]
async fn mail(_to: String) {}

fn main() {}
