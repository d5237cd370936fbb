use rexecutor::prelude::*;

#[job(queue = "mail")]
async fn mail(_to: String) {}

fn main() {}
