use rexecutor::prelude::*;

#[job(cron("@daily", timezone = "BST"), cron("@daily", timezone = "PST"), cron("@daily", timezone = "Tokyo"))]
async fn report() {}

fn main() {}
