use rexecutor::prelude::*;

#[job(max_pending = 0)]
async fn mail(_to: String) {}

fn main() {}
