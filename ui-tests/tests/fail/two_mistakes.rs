use rexecutor::prelude::*;

#[job(max_attempts = 0, timeout = "soon")]
async fn mail(_to: String) {}

fn main() {}
