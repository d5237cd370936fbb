use rexecutor::prelude::*;

#[job(cluster_concurrency = 4, concurrency(key = |data| data, limit = 5))]
async fn mail(_to: String) {}

fn main() {}
