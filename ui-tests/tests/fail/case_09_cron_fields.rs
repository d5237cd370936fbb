use rexecutor::prelude::*;

#[job(
    cron = "0 61 2 * * *",
    cron = "0 0 24 * * *",
    cron = "0 0 0 0 * *",
    cron = "0 0 0 1 13 *",
    cron = "0 0 9 * * FRI#9"
)]
async fn report() {}

fn main() {}
