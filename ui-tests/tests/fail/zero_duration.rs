use rexecutor::prelude::*;

#[job(timeout = "0s")]
async fn mail(_to: String) {}

fn main() {}
