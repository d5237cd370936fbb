//! Storing jobs in a transaction whose driver only sqlx knows: one by one, by statements that take and give nothing but
//! numbers and text.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        BackendError, Enqueued, JobRow, NewJob, Result, Unique,
        lifecycle::{self, Resolved},
    },
    job::{
        JobId,
        uniqueness_criteria::{Resolution, UniqueKey},
    },
};
use sqlx::AnyConnection;

/// What a database does in such a transaction.
pub(crate) trait AnyStore: Sync {
    /// Checks that the transaction is on the backend's database, and has nodes told of these jobs when it commits.
    fn announce(&self, conn: &mut AnyConnection, jobs: &[NewJob]) -> impl Future<Output = Result<()>> + Send;

    /// Keeps others from deciding about a key before the transaction ends.
    fn lock_key(&self, conn: &mut AnyConnection, key: UniqueKey) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Removes what was stored for that; the lock lasts.
    fn release_key(&self, conn: &mut AnyConnection, key: UniqueKey) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// The newest job in the way.
    fn conflict(
        &self,
        conn: &mut AnyConnection,
        unique: &Unique,
    ) -> impl Future<Output = sqlx::Result<Option<JobId>>> + Send;

    /// What another job may take the place of, and the present; `None` if it is gone or cannot be read.
    fn lock_content(
        &self,
        conn: &mut AnyConnection,
        id: JobId,
    ) -> impl Future<Output = sqlx::Result<Option<(JobRow, DateTime<Utc>)>>> + Send;

    /// Stores what took its place.
    fn store_content(&self, conn: &mut AnyConnection, row: &JobRow) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Stores a new job.
    fn insert(&self, conn: &mut AnyConnection, job: &NewJob) -> impl Future<Output = sqlx::Result<JobId>> + Send;

    /// The core's error for the driver's.
    fn error(&self, error: sqlx::Error) -> BackendError;
}

/// Stores jobs in their order.
pub(crate) async fn store(
    backend: &impl AnyStore,
    conn: &mut AnyConnection,
    jobs: Vec<NewJob>,
) -> sqlx::Result<Vec<Enqueued>> {
    // All of them first and in order: two calls with the same keys must not wait for each other.
    let keys: BTreeSet<UniqueKey> = jobs.iter().filter_map(|job| Some(job.unique.as_ref()?.key)).collect();
    for key in &keys {
        backend.lock_key(conn, *key).await?;
    }
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push(store_one(backend, conn, job).await?);
    }
    for key in keys {
        backend.release_key(conn, key).await?;
    }
    Ok(answers)
}

async fn store_one(backend: &impl AnyStore, conn: &mut AnyConnection, job: NewJob) -> sqlx::Result<Enqueued> {
    let Some(unique) = job.unique.clone() else { return Ok(Enqueued::Inserted(backend.insert(conn, &job).await?)) };
    let Some(id) = backend.conflict(conn, &unique).await? else {
        return Ok(Enqueued::Inserted(backend.insert(conn, &job).await?));
    };
    if unique.on_conflict == Resolution::Ignore {
        return Ok(Enqueued::Existing(id));
    }
    // It may have been claimed, or pruned, since it was found.
    let Some((mut row, now)) = backend.lock_content(conn, id).await? else {
        return match unique.on_conflict {
            Resolution::Debounce(_) => Ok(Enqueued::Inserted(backend.insert(conn, &job).await?)),
            _ => Ok(Enqueued::Existing(id)),
        };
    };
    // By which it was found.
    row.unique_key = Some(unique.key);
    match lifecycle::resolve(&mut row, job, now) {
        Resolved::Replaced => {
            backend.store_content(conn, &row).await?;
            Ok(Enqueued::Replaced(id))
        }
        Resolved::Insert(job) => Ok(Enqueued::Inserted(backend.insert(conn, &job).await?)),
        _ => Ok(Enqueued::Existing(id)),
    }
}

/// What `lock_content` reads: the status, two numbers, the due time and that of the insert in microseconds, the tags as JSON, three
/// texts, and the weight.
pub(crate) type Content = (String, i32, i32, i64, i64, String, String, Option<String>, Option<String>, Option<i64>);

/// As a row of which nothing else is known; `None` if it cannot be read.
pub(crate) fn row_of(id: JobId, content: Content) -> Option<JobRow> {
    let (status, max_attempts, priority, scheduled_at, inserted_at, tags, data, metadata, group_key, weight) = content;
    let mut row = JobRow::empty(id, String::new().into());
    row.status = status.parse().ok()?;
    row.max_attempts = max_attempts.try_into().ok()?;
    row.priority = priority.try_into().ok()?;
    row.scheduled_at = DateTime::from_timestamp_micros(scheduled_at)?;
    row.inserted_at = DateTime::from_timestamp_micros(inserted_at)?;
    row.tags = serde_json::from_str(&tags).ok()?;
    (row.data, row.metadata) = (data, metadata);
    row.extras.set(|extra| &mut extra.group_key, group_key);
    row.extras.set(|extra| &mut extra.weight, weight.and_then(|weight| weight.try_into().ok()));
    Some(row)
}
