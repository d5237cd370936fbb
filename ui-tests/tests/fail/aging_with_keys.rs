use rexecutor::prelude::*;

#[job(aging = "10m", concurrency(key = |to| to, limit = 2))]
async fn mail(_to: String) {}

fn main() {}
