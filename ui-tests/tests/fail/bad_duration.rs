use rexecutor::prelude::*;

#[job(timeout = "30 seconds")]
async fn mail(_to: String) {}

fn main() {}
