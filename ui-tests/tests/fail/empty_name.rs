use rexecutor::prelude::*;

#[job(name = "")]
async fn mail(_to: String) {}

fn main() {}
