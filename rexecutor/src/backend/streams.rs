//! What runs stream while they run.

use futures::future::BoxFuture;

use super::capabilities::Backend;
use crate::model::{BackendError, Chunk, JobId, NewChunk, Offset, Result};

/// Keeps what runs stream: chunks of text, which are only ever added.
///
/// # Contract
///
/// - A chunk is stored while its job has the lease of its offset, whatever the job's status: what a run says in its last moments may come
///   after its outcome. One of a run whose job has been claimed again is not stored, and one that is stored already stays as it is.
/// - `chunks` gives them in the order of their offsets.
/// - `sweep_streams` deletes those of jobs that are gone, some thousands in a call.
/// - The row of a job is not changed: its statements stay as fast as they are.
pub trait Streams: Send + Sync {
    /// Stores chunks of any number of runs.
    fn append(&self, chunks: Vec<NewChunk>) -> BoxFuture<'_, Result<()>>;

    /// The first `limit` chunks of a job after this offset.
    fn chunks(&self, job: JobId, after: Offset, limit: usize) -> BoxFuture<'_, Result<Vec<Chunk>>>;

    /// How many bytes the stream of a job has.
    fn stream_bytes(&self, job: JobId) -> BoxFuture<'_, Result<u64>>;

    /// Deletes the chunks of jobs that are gone.
    fn sweep_streams(&self) -> BoxFuture<'_, Result<()>>;
}

/// The capability to keep streams, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn streams<B: Backend + ?Sized>(backend: &B) -> Result<&dyn Streams> {
    backend
        .streams()
        .ok_or_else(|| BackendError::unsupported(backend.name(), "streams of running jobs (`Backend::streams`)"))
}
