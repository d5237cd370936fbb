use rexecutor::prelude::*;

#[job(cron = "@dialy")]
async fn tick() {}

fn main() {}
