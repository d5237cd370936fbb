use rexecutor::prelude::*;

#[job(max_concurrency = 10, cluster_concurrency = 4)]
async fn mail(_to: String) {}

fn main() {}
