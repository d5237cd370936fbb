//! Between rows and jobs.
//!
//! A stored row is input: whatever it holds, reading it gives a job or an error.

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::JobRow,
    job::{ExecutorName, JobError, JobId, Lease, NodeId, uniqueness_criteria::UniqueKey},
};
use sqlx::{Row, sqlite::SqliteRow};

/// Reads a job, without its errors.
pub(super) fn job(row: &SqliteRow) -> sqlx::Result<JobRow> {
    Ok(JobRow {
        id: JobId::from(row.try_get::<i64, _>("id")?),
        executor: ExecutorName::from(row.try_get::<String, _>("executor")?),
        status: parse(row, "status")?,
        data: row.try_get("data")?,
        metadata: row.try_get("metadata")?,
        attempt: small(row, "attempt")?,
        max_attempts: small(row, "max_attempts")?,
        priority: small(row, "priority")?,
        tags: serde_json::from_str(row.try_get("tags")?).map_err(|error| broken("tags", error))?,
        errors: Vec::new(),
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

/// Reads one failed attempt, and whose it is.
pub(super) fn error(row: &SqliteRow) -> sqlx::Result<(JobId, JobError)> {
    let error = JobError {
        attempt: small(row, "attempt")?,
        error_type: row.try_get::<String, _>("error_type")?.into(),
        details: row.try_get("details")?,
        recorded_at: instant(row, "recorded_at")?,
    };
    Ok((JobId::from(row.try_get::<i64, _>("job")?), error))
}

fn parse<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &SqliteRow,
    column: &str,
) -> sqlx::Result<T> {
    row.try_get::<String, _>(column)?.parse().map_err(|error| broken(column, error))
}

fn small(row: &SqliteRow, column: &str) -> sqlx::Result<u16> {
    u16::try_from(row.try_get::<i64, _>(column)?).map_err(|error| broken(column, error))
}

fn key(row: &SqliteRow) -> sqlx::Result<Option<UniqueKey>> {
    let Some(bytes) = row.try_get::<Option<Vec<u8>>, _>("unique_key")? else { return Ok(None) };
    <[u8; 16]>::try_from(bytes.as_slice()).map(|key| Some(UniqueKey(key))).map_err(|error| broken("unique_key", error))
}

fn instant(row: &SqliteRow, column: &str) -> sqlx::Result<DateTime<Utc>> {
    let micros = row.try_get::<i64, _>(column)?;
    DateTime::from_timestamp_micros(micros).ok_or_else(|| broken(column, format!("{micros} is no instant")))
}

fn optional_instant(row: &SqliteRow, column: &str) -> sqlx::Result<Option<DateTime<Utc>>> {
    match row.try_get::<Option<i64>, _>(column)? {
        Some(_) => instant(row, column).map(Some),
        None => Ok(None),
    }
}

fn broken(column: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: source.into() }
}
