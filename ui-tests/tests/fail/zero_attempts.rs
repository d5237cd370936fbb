use rexecutor::prelude::*;

#[job(max_attempts = 0)]
async fn mail(_to: String) {}

fn main() {}
