//! Rows that change their status: found, changed by the functions of [`lifecycle`](rexecutor::backend::lifecycle), and
//! saved, without the data they carry.

use std::error::Error;

use rexecutor::{
    backend::JobRow,
    job::{ErrorType, JobId},
};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;

use super::{
    row::{self, Unreadable, micros},
    work::Work,
};

/// The readable ones of these jobs. Their data, metadata, tags and recorded errors are left empty.
///
/// A job that cannot be read is quarantined.
pub(super) async fn find(work: &mut Work<'_>, ids: &[JobId]) -> Result<Vec<JobRow>, sqlx::Error> {
    let ids = Value::from_iter(ids.iter().map(|id| id.as_i64())).to_string();
    let rows = sqlx::query(include_str!("queries/find_states.sql")).bind(ids).fetch_all(&mut *work.conn).await?;
    readable(work, &rows).await
}

/// The executing jobs of nodes that are no members.
pub(super) async fn find_lost(work: &mut Work<'_>) -> Result<Vec<JobRow>, sqlx::Error> {
    let rows = sqlx::query(include_str!("queries/find_lost.sql")).fetch_all(&mut *work.conn).await?;
    readable(work, &rows).await
}

async fn readable(work: &mut Work<'_>, rows: &[SqliteRow]) -> Result<Vec<JobRow>, sqlx::Error> {
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        match row::read(row) {
            Ok(job) => jobs.push(job),
            Err(unreadable) => quarantine(work, &unreadable).await?,
        }
    }
    Ok(jobs)
}

/// Saves what a change of status changes, and the errors that it has added.
pub(super) async fn save(work: &mut Work<'_>, jobs: &[JobRow]) -> Result<(), sqlx::Error> {
    let states = Value::from_iter(jobs.iter().map(|job| {
        json!([
            job.id,
            job.status.as_str(),
            job.attempt,
            micros(job.scheduled_at),
            job.node.map(|node| node.0),
            job.cancel_reason,
            job.completed_at.map(micros),
            job.cancelled_at.map(micros),
            job.discarded_at.map(micros),
        ])
    }));
    sqlx::query(include_str!("queries/save_states.sql")).bind(states.to_string()).execute(&mut *work.conn).await?;
    let errors = jobs.iter().flat_map(|job| job.errors.iter().map(move |error| (job.id, error)));
    let errors: Vec<Value> = errors
        .map(|(id, error)| json!([id, error.attempt, error.error_type, error.details, micros(error.recorded_at)]))
        .collect();
    insert_errors(work, errors).await
}

/// Discards a row that cannot be read, with an error that says why: it would be met again and again otherwise.
pub(super) async fn quarantine(work: &mut Work<'_>, unreadable: &Unreadable) -> Result<(), sqlx::Error> {
    let Unreadable { id, problem } = unreadable;
    tracing::warn!(job.id = %id, error = &**problem as &dyn Error, "job discarded because its row cannot be read");
    let now = micros(work.now);
    let discard = sqlx::query(include_str!("queries/quarantine_job.sql")).bind(id.as_i64()).bind(now);
    discard.execute(&mut *work.conn).await?;
    let details = format!("the stored row cannot be read: {problem}");
    insert_errors(work, vec![json!([id, 0, ErrorType::Decode, details, now])]).await
}

async fn insert_errors(work: &mut Work<'_>, errors: Vec<Value>) -> Result<(), sqlx::Error> {
    if errors.is_empty() {
        return Ok(());
    }
    let errors = Value::from(errors).to_string();
    sqlx::query(include_str!("queries/insert_errors.sql")).bind(errors).execute(&mut *work.conn).await?;
    Ok(())
}
