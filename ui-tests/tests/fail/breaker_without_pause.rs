use rexecutor::prelude::*;

#[job(circuit_breaker(after = 20, within = "1m"))]
async fn mail(_to: String) {}

fn main() {}
