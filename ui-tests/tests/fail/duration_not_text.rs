use rexecutor::prelude::*;

#[job(timeout = 30)]
async fn mail(_to: String) {}

fn main() {}
