use rexecutor::prelude::*;

#[job(timeout = "2h", deadline = "1h")]
async fn mail(_to: String) {}

fn main() {}
