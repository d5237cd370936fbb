use rexecutor::prelude::*;

#[job(cluster_concurrency = 0)]
async fn mail(_to: String) {}

fn main() {}
