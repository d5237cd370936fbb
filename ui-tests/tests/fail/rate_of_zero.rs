use rexecutor::prelude::*;

#[job(rate_limit = "0/s")]
async fn mail(_to: String) {}

fn main() {}
