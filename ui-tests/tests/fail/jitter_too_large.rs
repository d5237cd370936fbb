use rexecutor::prelude::*;

#[job(backoff = constant("5s", jitter = 2.0))]
async fn mail(_to: String) {}

fn main() {}
