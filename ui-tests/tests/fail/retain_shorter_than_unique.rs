use rexecutor::prelude::*;

#[job(retain = "1h", unique_within = "2h")]
async fn mail(_to: String) {}

fn main() {}
