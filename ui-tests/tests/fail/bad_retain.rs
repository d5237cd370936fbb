use rexecutor::prelude::*;

#[job(retain = "a while")]
async fn mail(_to: String) {}

fn main() {}
