use rexecutor::prelude::*;

#[job(throttle(key = |data| data.len()))]
async fn mail(_to: String) {}

fn main() {}
