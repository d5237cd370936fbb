use rexecutor::prelude::*;

#[job(unique(key = "user"))]
async fn mail(_to: String) {}

fn main() {}
