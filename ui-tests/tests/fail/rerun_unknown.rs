use rexecutor::prelude::*;

#[job(rerun = "never")]
async fn mail(_to: String) {}

fn main() {}
