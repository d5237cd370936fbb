use rexecutor::prelude::*;

#[job(circuit_breaker = 20)]
async fn mail(_to: String) {}

fn main() {}
