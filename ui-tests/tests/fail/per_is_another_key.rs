use rexecutor::prelude::*;

#[job(concurrency(key = |to| to.len(), limit = 2), rate_limit = "10/s", per = |to| to)]
async fn mail(_to: String) {}

fn main() {}
