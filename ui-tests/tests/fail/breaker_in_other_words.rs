use rexecutor::prelude::*;

#[job(circuit_breaker(threshold = 20, period = "1m", reset_after = "5m"))]
async fn mail(_to: String) {}

fn main() {}
