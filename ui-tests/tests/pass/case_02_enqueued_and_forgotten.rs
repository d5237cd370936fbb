#![deny(warnings)]
//! What became of a job that nothing can stand in the way of need not be looked at.

use rexecutor::{backend::memory::InMemoryBackend, prelude::*};

#[job]
async fn greet(_name: String) {}

async fn greets(backend: &InMemoryBackend) -> Result<(), rexecutor::job::builder::EnqueueError> {
    Greet::enqueue("Ada".to_owned()).await?;
    Greet::builder().with_data("Bob".to_owned()).enqueue().await?;
    Greet::builder().with_data("Eve".to_owned()).enqueue_to_backend(backend).await?;
    Ok(())
}

fn main() {
    let _ = greets(&InMemoryBackend::new());
}
