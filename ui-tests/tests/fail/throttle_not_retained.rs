use rexecutor::prelude::*;

#[job(throttle = "1m", retain = "none")]
async fn mail(_to: String) {}

fn main() {}
