use rexecutor::prelude::*;

#[job(cron(timezone = "UTC"))]
async fn tick() {}

fn main() {}
