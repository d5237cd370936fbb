use rexecutor::prelude::*;

#[job(unique_within = "5m", unique(by = data))]
async fn mail(_to: String) {}

fn main() {}
