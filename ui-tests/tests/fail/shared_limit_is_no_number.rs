use rexecutor::prelude::*;

#[job(limit = 5)]
async fn mail(_to: String) {}

fn main() {}
