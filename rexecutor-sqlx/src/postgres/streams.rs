//! What runs stream: a table of its own, to which rows are only added.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Chunk, NewChunk, Offset, Result, Streams},
    job::{JobId, Lease},
};
use sqlx::{Row, postgres::PgRow};

use super::backend::PgBackend;

impl Streams for PgBackend {
    fn append(&self, chunks: Vec<NewChunk>) -> BoxFuture<'_, Result<()>> {
        let ids: Vec<i64> = chunks.iter().map(|chunk| chunk.job.as_i64()).collect();
        let leases: Vec<i64> = chunks.iter().map(|chunk| chunk.offset.lease().0).collect();
        let numbers: Vec<i64> = chunks.iter().map(|chunk| chunk.offset.number().into()).collect();
        let attempts: Vec<i32> = chunks.iter().map(|chunk| chunk.attempt.into()).collect();
        let texts: Vec<String> = chunks.into_iter().map(|chunk| chunk.text).collect();
        let work = async {
            let mut session = self.0.session().await?;
            let insert = self.0.query(&self.0.queries.insert_chunks).bind(ids).bind(leases).bind(numbers);
            insert.bind(attempts).bind(texts).execute(&mut *session).await?;
            session.end().await
        };
        Box::pin(self.0.limited("could not store what jobs stream", work))
    }

    fn chunks(&self, job: JobId, after: Offset, limit: usize) -> BoxFuture<'_, Result<Vec<Chunk>>> {
        let work = async move {
            let mut session = self.0.session().await?;
            let list = self.0.query(&self.0.queries.list_chunks).bind(job.as_i64());
            let list = list.bind(after.lease().0).bind(i64::from(after.number()));
            let rows = list.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(&mut *session).await?;
            session.end().await?;
            rows.iter().map(chunk).collect()
        };
        Box::pin(self.0.limited("could not read what a job streams", work))
    }

    fn stream_bytes(&self, job: JobId) -> BoxFuture<'_, Result<u64>> {
        let work = async move {
            let mut session = self.0.session().await?;
            let count = self.0.query(&self.0.queries.count_chunk_bytes).bind(job.as_i64());
            let bytes: i64 = count.fetch_one(&mut *session).await?.try_get("bytes")?;
            session.end().await?;
            Ok(u64::try_from(bytes).unwrap_or_default())
        };
        Box::pin(self.0.limited("could not count what a job has streamed", work))
    }

    fn sweep_streams(&self) -> BoxFuture<'_, Result<()>> {
        let work = async {
            let mut session = self.0.session().await?;
            self.0.query(&self.0.queries.sweep_chunks).execute(&mut *session).await?;
            session.end().await
        };
        Box::pin(self.0.limited("could not delete what jobs have streamed that are gone", work))
    }
}

fn chunk(row: &PgRow) -> sqlx::Result<Chunk> {
    let (number, attempt): (i64, i32) = (row.try_get("number")?, row.try_get("attempt")?);
    let number = u32::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let offset = Offset::new(Lease(row.try_get("lease")?), number);
    let attempt = u16::try_from(attempt).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Chunk::new(offset, attempt, row.try_get::<String, _>("text")?))
}
