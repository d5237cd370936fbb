use rexecutor::prelude::*;

#[job(max_attempts = "three")]
async fn mail(_to: String) {}

fn main() {}
