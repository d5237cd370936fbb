use rexecutor::prelude::*;

#[job(burst = 3)]
async fn mail(_to: String) {}

fn main() {}
