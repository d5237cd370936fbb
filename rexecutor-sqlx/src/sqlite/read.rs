//! Reading rows together with the errors of their earlier attempts, which stand in a table of their own.

use std::collections::HashMap;

use rexecutor::{
    backend::{Failure, JobRow},
    job::{JobError, JobId},
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    queries,
    row::{Problem, Unreadable, instant, read, small, text},
};

/// Reads rows and their errors.
pub(super) async fn read_all(
    conn: &mut SqliteConnection,
    rows: &[SqliteRow],
) -> Result<Vec<Result<JobRow, Unreadable>>, sqlx::Error> {
    let mut jobs: Vec<_> = rows.iter().map(read).collect();
    add_errors(conn, &mut jobs).await?;
    Ok(jobs)
}

/// Reads the data and metadata of those of these jobs that have come without; `None`, if they cannot be read.
pub(super) async fn add_contents(
    conn: &mut SqliteConnection,
    mut jobs: Vec<JobRow>,
    unread: &[JobId],
) -> Result<Option<Vec<JobRow>>, sqlx::Error> {
    if unread.is_empty() {
        return Ok(Some(jobs));
    }
    let ids = serde_json::json!(unread).to_string();
    let rows = sqlx::query(queries::find_contents()).bind(ids).fetch_all(conn).await?;
    let mut contents = HashMap::with_capacity(rows.len());
    for row in &rows {
        let (Ok(metadata), Ok(data)) = (row.try_get("metadata"), row.try_get("data")) else { return Ok(None) };
        contents.insert(JobId::from(row.try_get::<i64, _>("id")?), (metadata, data));
    }
    for job in &mut jobs {
        if let Some((metadata, data)) = contents.remove(&job.id) {
            (job.metadata, job.data) = (metadata, data);
        }
    }
    Ok(Some(jobs))
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
                Err(problem) => {
                    let problem = format!("table `rexecutor_job_errors`: {problem}").into();
                    *slot = Err(Unreadable { id: job.id, problem });
                }
            }
        }
    }
    Ok(())
}

type Errors = HashMap<JobId, Result<Vec<JobError>, Problem>>;

async fn read_errors(conn: &mut SqliteConnection, ids: &[i64]) -> Result<Errors, sqlx::Error> {
    let ids = serde_json::json!(ids).to_string();
    let rows = sqlx::query(queries::find_errors()).bind(ids).fetch_all(conn).await?;
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
    let failure = Failure::new(text(row, "error_type")?.into(), text(row, "details")?);
    Ok(JobError::new(small(row, "attempt")?, failure, instant(row, "recorded_at")?))
}
