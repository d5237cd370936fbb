use rexecutor::prelude::*;

#[job(backoff = linear("5s", maximum = "1m"))]
async fn mail(_to: String) {}

fn main() {}
