use rexecutor::prelude::*;

#[job(data = String::new())]
async fn mail(_to: String) {}

fn main() {}
