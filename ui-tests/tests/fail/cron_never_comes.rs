use rexecutor::prelude::*;

#[job(cron = "0 0 0 30 2 *")]
async fn tick() {}

fn main() {}
