use rexecutor::prelude::*;

#[job(priority = 70_000)]
async fn mail(_to: String) {}

fn main() {}
