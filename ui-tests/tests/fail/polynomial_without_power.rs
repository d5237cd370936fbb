use rexecutor::prelude::*;

#[job(backoff = polynomial("5s"))]
async fn mail(_to: String) {}

fn main() {}
