use rexecutor::prelude::*;

#[job(debounce = "1m", deadline = "5m")]
async fn mail(_to: String) {}

fn main() {}
