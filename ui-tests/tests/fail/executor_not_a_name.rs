use rexecutor::prelude::*;

#[job(executor = "Mail")]
async fn mail(_to: String) {}

fn main() {}
