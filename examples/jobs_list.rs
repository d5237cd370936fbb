//! Lists every job that is linked into a program, with its settings and its next ticks.
//!
//! Run it with `cargo run --example jobs_list`.

use rexecutor::{
    clock::{Clock, SystemClock},
    prelude::*,
};

/// Sends the welcome mail.
#[job(max_attempts = 3, timeout = "30s", backoff = exponential("4s", max = "1h"), tags = ["mail"], unique_within = "5m")]
async fn welcome_email(_address: String) {}

/// Every night, London time.
#[job(cron = "0 30 1 * * *", timezone = "Europe/London", retain = "7d")]
async fn nightly_report() {}

/// Every 90 seconds, on all nodes together.
#[job(every = "90s", jitter = "10s")]
async fn poll_mailbox() {}

/// At noon in two cities.
#[job(
    cron("0 0 12 * * MON-FRI", timezone = "Asia/Tokyo", data = Some("Tokyo".to_owned())),
    cron("0 0 12 * * MON-FRI", timezone = "America/New_York", data = Some("New York".to_owned())),
    blocking
)]
async fn greet(_city: Option<String>) {}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:<16} {:>8} {:>7} {:>8} {:>8}  defined at", "job", "attempts", "timeout", "blocking", "priority");
    for job in Rexecutor::registered() {
        let (file, line) = job.location();
        let settings = job.settings();
        let timeout = settings.timeout.map_or("none".to_owned(), |timeout| format!("{timeout:?}"));
        let (name, attempts, blocking) = (job.name(), settings.max_attempts, settings.is_blocking);
        println!("{name:<16} {attempts:>8} {timeout:>7} {blocking:>8} {:>8}  {file}:{line}", settings.priority);
        println!(
            "    kept: {:?}; tags: {:?}; at once: {:?}",
            settings.retention, settings.tags, settings.max_concurrency
        );
        println!("    backoff: {}", settings.backoff.unwrap_or("by default"));
        println!("    unique: {}", settings.uniqueness.unwrap_or("no"));
        for cron in job.crons() {
            let schedule = cron.schedule()?;
            println!("    {schedule}: {}", schedule.describe());
            for tick in schedule.ticks_after(SystemClock.now()).take(3) {
                println!("        {tick}");
            }
        }
    }
    Ok(())
}
