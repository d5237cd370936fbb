use rexecutor::prelude::*;

#[job(max_attempts = -1)]
async fn mail(_to: String) {}

fn main() {}
