use rexecutor::prelude::*;

#[job(retries = 3, queue = "mail", concurrency = 2, timeout_secs = 30, interval = "5m", tz = "BST")]
async fn mail() {}

fn main() {}
