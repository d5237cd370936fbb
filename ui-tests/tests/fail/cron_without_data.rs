use rexecutor::prelude::*;

#[job(cron = "0 0 0 * * *")]
async fn mail(_to: String) {}

fn main() {}
