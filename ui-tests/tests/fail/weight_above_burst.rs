use rexecutor::prelude::*;

#[job(rate_limit = "10/s", weight = 11)]
async fn mail(_to: String) {}

fn main() {}
