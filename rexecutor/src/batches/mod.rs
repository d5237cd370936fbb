//! Batches: any number of jobs of any executors, and jobs that are enqueued when these have ended.
//!
//! A [`Batch`] is built from jobs and callbacks, and enqueued in one transaction. Callbacks are ordinary jobs: they are enqueued when all jobs
//! have ended, when all have succeeded, when the first is discarded, or when so many have ended. Each is enqueued once, whatever processes
//! die, and takes a [`BatchSummary`] as a parameter. Jobs of a batch can add others to it while it runs.
//!
//! # Examples
//!
//! ```rust,standalone_crate
//! use rexecutor::{
//!     backend::memory::InMemoryBackend,
//!     batches::{Batch, BatchSummary},
//!     prelude::*,
//! };
//!
//! #[job]
//! async fn resize(image: u32) -> Result<(), String> {
//!     if image == 13 { Err("not an image".to_owned()) } else { Ok(()) }
//! }
//!
//! #[job]
//! async fn tell(user: String, batch: BatchSummary) {
//!     println!("{user}: {} of {} images are resized", batch.counts.complete, batch.counts.total());
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
//!
//!     let images = (0..100).map(|image| Resize::builder().with_data(image).with_max_attempts(1));
//!     let batch = Batch::new("album 7").jobs(images).on_finished(Tell::builder().with_data("ada".to_owned()));
//!     let batch = batch.enqueue().await?;
//!     node.run_until_idle().await;
//!     println!("discarded: {:?}", batch.wait().await?.failed);
//!     Ok(())
//! }
//! ```
//!
//! ```text
//! ada: 99 of 100 images are resized
//! discarded: [JobId(14)]
//! ```

mod batch;
mod error;
mod handle;
mod job;
mod wait;

pub use self::{
    batch::Batch, error::BatchError, handle::BatchHandle, handle::BatchStatus, job::IntoJob, wait::BatchWait,
};
pub use crate::{
    backend::flows::{FlowError, FlowKind, FlowRef},
    model::{BatchEvent, BatchSummary, FlowCounts, FlowId, Threshold},
};

use crate::context::JobContext;

impl BatchSummary {
    /// What the batch had come to whose callback runs in this context; `None`: the job is no callback.
    ///
    /// # Errors
    ///
    /// When what is stored does not decode: another version of this crate has stored it.
    pub fn of(context: &JobContext) -> Result<Option<Self>, serde_json::Error> {
        context.row().extras.summary.as_deref().map(serde_json::from_str).transpose()
    }
}
