use rexecutor::prelude::*;

#[job(priority = 1, priority = 2)]
async fn mail(_to: String) {}

fn main() {}
