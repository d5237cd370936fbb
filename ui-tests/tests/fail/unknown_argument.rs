use rexecutor::prelude::*;

#[job(max_atempts = 3)]
async fn mail(_to: String) {}

fn main() {}
