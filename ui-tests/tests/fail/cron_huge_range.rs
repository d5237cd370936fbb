use rexecutor::prelude::*;

#[job(cron = "1--100000000 * * * * *")]
async fn tick() {}

fn main() {}
