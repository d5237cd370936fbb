use rexecutor::prelude::*;

#[job(rate_limit = "100")]
async fn mail(_to: String) {}

fn main() {}
