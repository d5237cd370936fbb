//! A library that holds jobs, in edition 2021, and knows rexecutor by another name.

pub use jobs;
use jobs::prelude::*;

/// Counts the stock, every night.
#[job(crate = jobs, cron = "0 0 2 * * *", unique_within = "1h", backoff = linear("5s", max = "1m"))]
pub async fn count_stock(State(shelves): State<u32>, context: JobContext) -> Result<(), String> {
    match shelves.checked_sub(u32::from(context.attempt())) {
        Some(_) => Ok(()),
        None => Err("there are no shelves".to_owned()),
    }
}
