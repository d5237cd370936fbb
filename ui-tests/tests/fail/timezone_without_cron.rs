use rexecutor::prelude::*;

#[job(timezone = "Europe/London")]
async fn mail(_to: String) {}

fn main() {}
