use rexecutor::prelude::*;

#[job(cron = "@daily", timezone = "Europe/Lundon")]
async fn tick() {}

fn main() {}
