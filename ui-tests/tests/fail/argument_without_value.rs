use rexecutor::prelude::*;

#[job(name = , priority = 1)]
async fn mail(_to: String) {}

fn main() {}
