//! What runs stream.

use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready};
use crate::{
    backend::streams::Streams,
    model::{Chunk, JobId, NewChunk, Offset, Result},
};

impl Streams for InMemoryBackend {
    fn append(&self, chunks: Vec<NewChunk>) -> BoxFuture<'_, Result<()>> {
        let (mut store, _) = self.store();
        for NewChunk { job, offset, attempt, text } in chunks {
            if store.rows.get(&job).is_some_and(|stored| stored.row.lease == offset.lease()) {
                let stream = store.streams.entry(job).or_default();
                stream.entry(offset).or_insert_with(|| Chunk::new(offset, attempt, text));
            }
        }
        ready(Ok(()))
    }

    fn chunks(&self, job: JobId, after: Offset, limit: usize) -> BoxFuture<'_, Result<Vec<Chunk>>> {
        let (store, _) = self.store();
        let stream = store.streams.get(&job).into_iter().flatten();
        ready(Ok(stream.filter(|(offset, _)| **offset > after).take(limit).map(|(_, chunk)| chunk.clone()).collect()))
    }

    fn stream_bytes(&self, job: JobId) -> BoxFuture<'_, Result<u64>> {
        let (store, _) = self.store();
        let bytes = store.streams.get(&job).into_iter().flatten().map(|(_, chunk)| chunk.text.len());
        ready(Ok(bytes.map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX)).sum()))
    }

    fn sweep_streams(&self) -> BoxFuture<'_, Result<()>> {
        // They are deleted with their jobs.
        ready(Ok(()))
    }
}
