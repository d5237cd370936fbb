use rexecutor::prelude::*;

#[job(blocking = "yes")]
async fn mail(_to: String) {}

fn main() {}
