use rexecutor::prelude::*;

#[job(max_attempts = 65_536)]
async fn mail(_to: String) {}

fn main() {}
