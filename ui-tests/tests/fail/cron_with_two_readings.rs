use rexecutor::prelude::*;

#[job(
    cron = "0 0 0 13 * FRI",
    cron = "0 0 9 1-7 * MON",
    cron = "0 */45 * * * *",
    cron = "0 0 0 */2 * *",
    cron = "0 0 0 31 * *",
)]
async fn report() {}

fn main() {}
