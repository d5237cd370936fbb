use rexecutor::prelude::*;

#[job(cron = "0 61 * * * *")]
async fn tick() {}

fn main() {}
