//! Streams of a faulty backend. What runs add meets the faults of [`Operation::Settle`], whoever reads those of [`Operation::Query`].

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Backend, Chunk, NewChunk, Offset, Result, Streams, streams},
    job::JobId,
};

use super::{faulty::Faulty, operation::Operation};

impl<B: Backend> Streams for Faulty<B> {
    fn append(&self, chunks: Vec<NewChunk>) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.call(Operation::Settle, async move { streams(self.inner())?.append(chunks).await }))
    }

    fn chunks(&self, job: JobId, after: Offset, limit: usize) -> BoxFuture<'_, Result<Vec<Chunk>>> {
        Box::pin(self.call(Operation::Query, async move { streams(self.inner())?.chunks(job, after, limit).await }))
    }

    fn stream_bytes(&self, job: JobId) -> BoxFuture<'_, Result<u64>> {
        Box::pin(self.call(Operation::Query, async move { streams(self.inner())?.stream_bytes(job).await }))
    }

    fn sweep_streams(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.call(Operation::Query, async move { streams(self.inner())?.sweep_streams().await }))
    }
}
