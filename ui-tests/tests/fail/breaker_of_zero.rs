use rexecutor::prelude::*;

#[job(circuit_breaker(after = 0, within = "0s", pause = "400d"))]
async fn mail(_to: String) {}

fn main() {}
