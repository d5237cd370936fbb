use rexecutor::prelude::*;

#[job(debounce = "5s", unique_within = "5m")]
async fn mail(_to: String) {}

fn main() {}
