use rexecutor::prelude::*;

#[job]
async fn mail(_to: &str) {}

fn main() {}
