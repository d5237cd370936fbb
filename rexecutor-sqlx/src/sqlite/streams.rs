//! What runs stream.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Chunk, NewChunk, Offset, Result, Streams},
    job::{JobId, Lease},
};

use super::{
    backend::SqliteBackend,
    core::{Commit, Core},
    queries,
    script::json,
    work::Work,
};

impl Streams for SqliteBackend {
    fn append(&self, chunks: Vec<NewChunk>) -> BoxFuture<'_, Result<()>> {
        let step = async move |work: &mut Work<'_>| {
            let row = |chunk: &NewChunk| {
                (chunk.job, chunk.offset.lease().0, chunk.offset.number(), chunk.attempt, chunk.text.clone())
            };
            let rows: Vec<_> = chunks.iter().map(row).collect();
            sqlx::query(queries::insert_chunks()).bind(json(&rows)?).execute(&mut *work.conn).await.map(drop)
        };
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }

    fn chunks(&self, job: JobId, after: Offset, limit: usize) -> BoxFuture<'_, Result<Vec<Chunk>>> {
        let look = async move |core: &mut Core| {
            let list = sqlx::query_as(queries::list_chunks()).bind(job.as_i64()).bind(after.lease().0);
            let list = list.bind(after.number()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let rows: Vec<(i64, u32, u16, String)> = list.fetch_all(&mut core.conn).await?;
            let chunk = |(lease, number, attempt, text)| Chunk::new(Offset::new(Lease(lease), number), attempt, text);
            Ok::<_, sqlx::Error>(rows.into_iter().map(|row: (i64, u32, u16, String)| chunk(row)).collect())
        };
        Box::pin(self.0.writer.run(look))
    }

    fn stream_bytes(&self, job: JobId) -> BoxFuture<'_, Result<u64>> {
        let count = async move |core: &mut Core| {
            let count = sqlx::query_scalar(queries::count_chunk_bytes()).bind(job.as_i64());
            let bytes: i64 = count.fetch_one(&mut core.conn).await?;
            Ok::<_, sqlx::Error>(u64::try_from(bytes).unwrap_or_default())
        };
        Box::pin(self.0.writer.run(count))
    }

    fn sweep_streams(&self) -> BoxFuture<'_, Result<()>> {
        let step =
            async |work: &mut Work<'_>| sqlx::query(queries::sweep_chunks()).execute(&mut *work.conn).await.map(drop);
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }
}
