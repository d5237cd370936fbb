//! A row of the table as a [`JobRow`], and back.
//!
//! A stored row is input: whatever is wrong with it is told, and nothing here panics.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::JobRow,
    job::{ExecutorName, JobError, JobId, Lease, NodeId, uniqueness_criteria::UniqueKey},
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

pub(super) type Problem = Box<dyn std::error::Error + Send + Sync>;

/// A row that is no job.
#[derive(Debug, thiserror::Error)]
#[error("job {id} cannot be read")]
pub(super) struct Unreadable {
    pub(super) id: JobId,
    #[source]
    pub(super) problem: Problem,
}

impl From<Unreadable> for sqlx::Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::Decode(unreadable.into())
    }
}

/// Microseconds since the epoch.
pub(super) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

/// Reads rows and their errors.
pub(super) async fn read_all(
    conn: &mut SqliteConnection,
    rows: &[SqliteRow],
) -> Result<Vec<Result<JobRow, Unreadable>>, sqlx::Error> {
    let mut jobs: Vec<_> = rows.iter().map(read).collect();
    add_errors(conn, &mut jobs).await?;
    Ok(jobs)
}

/// Reads the errors of these jobs.
pub(super) async fn add_errors(
    conn: &mut SqliteConnection,
    jobs: &mut [Result<JobRow, Unreadable>],
) -> Result<(), sqlx::Error> {
    // Errors are recorded of runs that have ended, so the first run has none before it. An attempt's number would not
    // tell: a rerun sets it back to 0 and keeps the errors.
    let may_have = |job: &JobRow| job.lease.0 > 1 || (job.lease.0 == 1 && job.node.is_none());
    let ids: Vec<i64> = jobs.iter().flatten().filter(|job| may_have(job)).map(|job| job.id.into()).collect();
    if !ids.is_empty() {
        let mut errors = read_errors(conn, &ids).await?;
        for slot in jobs {
            let Ok(job) = slot else { continue };
            match errors.remove(&job.id).unwrap_or(Ok(Vec::new())) {
                Ok(errors) => job.errors = errors,
                Err(problem) => *slot = Err(Unreadable { id: job.id, problem }),
            }
        }
    }
    Ok(())
}

/// Reads a row without its errors.
pub(super) fn read(row: &SqliteRow) -> Result<JobRow, Unreadable> {
    let id = JobId::from(row.try_get::<i64, _>("id").unwrap_or_default());
    read_columns(id, row).map_err(|problem| Unreadable { id, problem })
}

fn read_columns(id: JobId, row: &SqliteRow) -> Result<JobRow, Problem> {
    let tags: String = row.try_get("tags")?;
    let unique_key: Option<Vec<u8>> = row.try_get("unique_key")?;
    Ok(JobRow {
        id,
        executor: ExecutorName::from(row.try_get::<String, _>("executor")?),
        status: row.try_get::<String, _>("status")?.parse()?,
        data: row.try_get("data")?,
        metadata: row.try_get("metadata")?,
        attempt: small(row, "attempt")?,
        max_attempts: small(row, "max_attempts")?,
        priority: small(row, "priority")?,
        tags: if tags == "[]" { Vec::new() } else { in_column("tags", serde_json::from_str(&tags))? },
        errors: Vec::new(),
        lease: Lease(row.try_get("lease")?),
        node: row.try_get::<Option<i64>, _>("node")?.map(NodeId),
        cancel_reason: row.try_get("cancel_reason")?,
        unique_key: unique_key
            .map(|key| in_column("unique_key", key.try_into().map(UniqueKey).map_err(|_| "not 16 bytes")))
            .transpose()?,
        inserted_at: instant(row, "inserted_at")?,
        scheduled_at: instant(row, "scheduled_at")?,
        attempted_at: optional_instant(row, "attempted_at")?,
        completed_at: optional_instant(row, "completed_at")?,
        cancelled_at: optional_instant(row, "cancelled_at")?,
        discarded_at: optional_instant(row, "discarded_at")?,
    })
}

type Errors = HashMap<JobId, Result<Vec<JobError>, Problem>>;

async fn read_errors(conn: &mut SqliteConnection, ids: &[i64]) -> Result<Errors, sqlx::Error> {
    let ids = serde_json::json!(ids).to_string();
    let rows = sqlx::query(include_str!("queries/find_errors.sql")).bind(ids).fetch_all(conn).await?;
    let mut errors = Errors::new();
    for row in &rows {
        let job = JobId::from(row.try_get::<i64, _>("job")?);
        let list = errors.entry(job).or_insert_with(|| Ok(Vec::new()));
        match (read_error(row), &mut *list) {
            (Ok(error), Ok(list)) => list.push(error),
            (Err(problem), list) => *list = Err(problem),
            (Ok(_), Err(_)) => {}
        }
    }
    Ok(errors)
}

fn read_error(row: &SqliteRow) -> Result<JobError, Problem> {
    Ok(JobError {
        attempt: small(row, "attempt")?,
        error_type: row.try_get::<String, _>("error_type")?.into(),
        details: row.try_get("details")?,
        recorded_at: instant(row, "recorded_at")?,
    })
}

fn small(row: &SqliteRow, column: &'static str) -> Result<u16, Problem> {
    small_of(row.try_get(column)?, column)
}

/// A number that a job can have.
pub(super) fn small_of(value: i64, column: &'static str) -> Result<u16, Problem> {
    u16::try_from(value).map_err(|_| format!("column `{column}` is {value}, and should be 0 to 65535").into())
}

fn instant(row: &SqliteRow, column: &'static str) -> Result<DateTime<Utc>, Problem> {
    optional_instant(row, column)?.ok_or_else(|| format!("column `{column}` is empty").into())
}

fn optional_instant(row: &SqliteRow, column: &'static str) -> Result<Option<DateTime<Utc>>, Problem> {
    row.try_get::<Option<i64>, _>(column)?.map(|micros| instant_of(micros, column)).transpose()
}

/// An instant that a job can have.
pub(super) fn instant_of(micros: i64, column: &'static str) -> Result<DateTime<Utc>, Problem> {
    let instant = DateTime::from_timestamp_micros(micros).filter(|instant| rexecutor::limits::is_storable(*instant));
    instant.ok_or_else(|| format!("column `{column}` is {micros}, which is no time in the years 1 to 9999").into())
}

fn in_column<T, E: std::fmt::Display>(column: &str, value: Result<T, E>) -> Result<T, Problem> {
    value.map_err(|error| format!("column `{column}`: {error}").into())
}
