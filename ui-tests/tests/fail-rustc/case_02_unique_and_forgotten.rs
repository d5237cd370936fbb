#![deny(unused_must_use)]

use rexecutor::prelude::*;

#[job(unique_within = "5m")]
async fn greet(_name: String) {}

#[job(unique(key = |name| name.len()))]
async fn greet_by_length(_name: String) {}

async fn greets() -> Result<(), rexecutor::job::builder::EnqueueError> {
    Greet::enqueue("Ada".to_owned()).await?;
    GreetByLength::enqueue("Ada".to_owned()).await?;
    Ok(())
}

fn main() {
    let _ = greets();
}
