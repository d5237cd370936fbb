use rexecutor::prelude::*;

#[job(backoff = exponentiel("4s"))]
async fn mail(_to: String) {}

fn main() {}
