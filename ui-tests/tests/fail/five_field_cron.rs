use rexecutor::prelude::*;

#[job(cron = "0 9 * * 1-5")]
async fn tick() {}

fn main() {}
