use rexecutor::prelude::*;

#[job(debounce(within = "1m", longest = "30s"))]
async fn mail(_to: String) {}

fn main() {}
