use rexecutor::prelude::*;

#[job(backoff = linear(5))]
async fn mail(_to: String) {}

fn main() {}
