use rexecutor::prelude::*;

#[job(limit = "stripe")]
async fn mail(_to: String) {}

fn main() {}
