use rexecutor::prelude::*;

#[job(tags = "mail")]
async fn mail(_to: String) {}

fn main() {}
