use rexecutor::prelude::*;

#[job(rate_limit = "10/s", per = customer)]
async fn mail(_to: String) {}

fn main() {}
