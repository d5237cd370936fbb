use rexecutor::prelude::*;

#[job(unique(withing = "5m"))]
async fn mail(_to: String) {}

fn main() {}
