//! Between rows and jobs.
//!
//! A stored row is input: whatever it holds, reading it gives a job or an error.

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::JobRow,
    job::{ExecutorName, JobId, Lease, NodeId, uniqueness_criteria::UniqueKey},
};
use sqlx::{
    Decode, Postgres, Row, Type, ValueRef,
    error::BoxDynError,
    postgres::{PgRow, PgTypeInfo, PgValueRef},
};

/// Reads a job.
pub(super) fn job(row: &PgRow) -> sqlx::Result<JobRow> {
    Ok(JobRow {
        id: JobId::from(row.try_get::<i64, _>("id")?),
        executor: ExecutorName::from(row.try_get::<String, _>("executor")?),
        status: row.try_get::<&str, _>("status")?.parse().map_err(|error| broken("status", error))?,
        data: row.try_get("data")?,
        metadata: row.try_get("metadata")?,
        attempt: small(row, "attempt")?,
        max_attempts: small(row, "max_attempts")?,
        priority: small(row, "priority")?,
        tags: row.try_get("tags")?,
        errors: errors(row)?,
        lease: Lease(row.try_get("lease")?),
        node: row.try_get::<Option<i64>, _>("node")?.map(NodeId),
        cancel_reason: row.try_get("cancel_reason")?,
        unique_key: key(row)?,
        inserted_at: instant(row, "inserted_at")?,
        scheduled_at: instant(row, "scheduled_at")?,
        attempted_at: optional_instant(row, "attempted_at")?,
        completed_at: optional_instant(row, "completed_at")?,
        cancelled_at: optional_instant(row, "cancelled_at")?,
        discarded_at: optional_instant(row, "discarded_at")?,
    })
}

/// An instant as PostgreSQL stores it: microseconds since 2000. Its own range is wider than that of [`DateTime`], which
/// must not panic for it.
struct Stored(i64);

impl Type<Postgres> for Stored {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Stored {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(i64::from_be_bytes(value.as_bytes()?.try_into()?)))
    }
}

impl Stored {
    fn instant(self, column: &str) -> sqlx::Result<DateTime<Utc>> {
        const EPOCH: i64 = 946_684_800_000_000;
        let instant = self.0.checked_add(EPOCH).and_then(DateTime::from_timestamp_micros);
        instant.ok_or_else(|| broken(column, format!("{} microseconds after 2000 is no instant", self.0)))
    }
}

pub(super) fn instant(row: &PgRow, column: &str) -> sqlx::Result<DateTime<Utc>> {
    row.try_get::<Stored, _>(column)?.instant(column)
}

pub(super) fn optional_instant(row: &PgRow, column: &str) -> sqlx::Result<Option<DateTime<Utc>>> {
    match row.try_get_raw(column)?.is_null() {
        true => Ok(None),
        false => instant(row, column).map(Some),
    }
}

fn small(row: &PgRow, column: &str) -> sqlx::Result<u16> {
    u16::try_from(row.try_get::<i32, _>(column)?).map_err(|error| broken(column, error))
}

fn errors(row: &PgRow) -> sqlx::Result<Vec<rexecutor::job::JobError>> {
    let stored = row.try_get::<Option<Vec<String>>, _>("errors")?.unwrap_or_default();
    stored.iter().map(|error| serde_json::from_str(error).map_err(|error| broken("errors", error))).collect()
}

fn key(row: &PgRow) -> sqlx::Result<Option<UniqueKey>> {
    let Some(bytes) = row.try_get::<Option<&[u8]>, _>("unique_key")? else { return Ok(None) };
    <[u8; 16]>::try_from(bytes).map(|key| Some(UniqueKey(key))).map_err(|error| broken("unique_key", error))
}

pub(super) fn broken(column: &str, source: impl Into<BoxDynError>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: source.into() }
}
