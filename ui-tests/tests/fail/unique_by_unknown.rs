use rexecutor::prelude::*;

#[job(unique(by = name))]
async fn mail(_to: String) {}

fn main() {}
