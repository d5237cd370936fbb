use rexecutor::prelude::*;

#[job(throttle = "1m", cron = "@hourly", data = String::new())]
async fn mail(_to: String) {}

fn main() {}
