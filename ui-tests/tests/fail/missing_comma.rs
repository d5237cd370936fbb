use rexecutor::prelude::*;

#[job(priority = 1 timeout = "3s")]
async fn mail(_to: String) {}

fn main() {}
