//! Rows that change their status: found, changed by the functions of [`lifecycle`](rexecutor::backend::lifecycle), and
//! stored, without the data they carry.

use std::error::Error;

use rexecutor::{
    backend::{JobRow, Marks, OnDiscard, lifecycle},
    job::{ErrorType, JobId},
    limits::MAX_ERRORS,
};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;

use super::{
    events, extras, flows, queries,
    row::{self, Unreadable, micros},
    steps,
    work::Work,
};

/// The readable ones of these jobs. Their data, metadata, tags and recorded errors are left empty.
///
/// A job that cannot be read is quarantined.
pub(super) async fn lock(work: &mut Work<'_>, ids: &[JobId]) -> Result<Vec<JobRow>, sqlx::Error> {
    let ids = Value::from_iter(ids.iter().map(|id| id.as_i64())).to_string();
    let rows = sqlx::query(queries::lock_states()).bind(ids).fetch_all(&mut *work.conn).await?;
    readable(work, &rows).await
}

/// Executing jobs of nodes that are no members, and jobs that are blocked or wait and whose deadline has come; also how many rows
/// there were of them.
pub(super) async fn lock_lost(work: &mut Work<'_>) -> Result<(usize, Vec<JobRow>), sqlx::Error> {
    let rows = sqlx::query(queries::find_lost_jobs()).bind(micros(work.now)).fetch_all(&mut *work.conn).await?;
    Ok((rows.len(), readable(work, &rows).await?))
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

/// Deletes jobs that are complete, with their steps.
pub(super) async fn delete_jobs(work: &mut Work<'_>, jobs: &[JobRow]) -> Result<(), sqlx::Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    work.ended.extend(jobs.iter().filter(|job| lifecycle::is_awaited_end(job)).map(|job| job.id));
    let with_steps = jobs.iter().filter(|job| job.marks.contains(Marks::STEPS)).map(|job| job.id);
    steps::delete(work, &with_steps.collect::<Vec<_>>()).await?;
    flows::count_as_gone(work, jobs).await?;
    work.tell(jobs).await?;
    work.tell_now().await?;
    let deleted = Value::from_iter(jobs.iter().map(|job| job.id.as_i64()));
    sqlx::query(queries::delete_jobs()).bind(deleted.to_string()).execute(&mut *work.conn).await.map(drop)
}

/// Stores what a change of status changes, and the errors that it has added.
pub(super) async fn store_states(work: &mut Work<'_>, jobs: &[JobRow]) -> Result<(), sqlx::Error> {
    work.ended.extend(jobs.iter().filter(|job| lifecycle::is_awaited_end(job)).map(|job| job.id));
    let states = Value::from_iter(jobs.iter().map(|job| {
        json!([
            job.id,
            job.status.as_str(),
            job.attempt,
            micros(job.scheduled_at),
            job.node.map(|node| node.0),
            job.finished_at().map(micros),
            job.marks.stored(),
            job.extras.output,
            job.deadline().map(micros),
            job.lease.0,
            extras::state_of(&job.extras),
            job.extras.order.map(OnDiscard::stored),
        ])
    }));
    sqlx::query(queries::store_states()).bind(states.to_string()).execute(&mut *work.conn).await?;
    let errors = jobs.iter().flat_map(|job| job.errors.iter().map(move |error| (job.id, error)));
    let errors: Vec<Value> = errors
        .map(|(id, error)| json!([id, error.attempt, error.error_type, error.details, micros(error.recorded_at)]))
        .collect();
    insert_errors(work, errors).await?;
    work.tell(jobs).await?;
    // Each error took a claim, and each claim has raised the lease: so most jobs need not be looked at.
    let may_have_many =
        |job: &&JobRow| !job.errors.is_empty() && usize::try_from(job.lease.0).is_ok_and(|n| n > MAX_ERRORS);
    trim_errors(work, jobs.iter().filter(may_have_many).map(|job| job.id).collect()).await
}

async fn trim_errors(work: &mut Work<'_>, jobs: Vec<JobId>) -> Result<(), sqlx::Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    sqlx::query(queries::trim_errors()).bind(json!(jobs).to_string()).execute(&mut *work.conn).await.map(drop)
}

/// Discards a row that cannot be read, with an error that says why: it would be met again and again otherwise.
pub(super) async fn quarantine(work: &mut Work<'_>, unreadable: &Unreadable) -> Result<(), sqlx::Error> {
    let Unreadable { id, problem } = unreadable;
    tracing::error!(job.id = %id, error = &**problem as &dyn Error, "job discarded because its row cannot be read");
    let (work_now, now) = (work.now, micros(work.now));
    let discard = sqlx::query(queries::quarantine_jobs()).bind(id.as_i64()).bind(now);
    discard.execute(&mut *work.conn).await?;
    let details = format!("the stored row cannot be read: {problem}");
    work.tell_of(|| events::of_unreadable(*id, &details, work_now));
    insert_errors(work, vec![json!([id, 0, ErrorType::Decode, details, now])]).await
}

async fn insert_errors(work: &mut Work<'_>, errors: Vec<Value>) -> Result<(), sqlx::Error> {
    if errors.is_empty() {
        return Ok(());
    }
    let errors = Value::from(errors).to_string();
    sqlx::query(queries::insert_errors()).bind(errors).execute(&mut *work.conn).await?;
    Ok(())
}

/// Stores what may change in a job that waits: all but its status and its history.
pub(super) async fn store_content(work: &mut Work<'_>, job: &JobRow) -> Result<(), sqlx::Error> {
    sqlx::query(queries::store_content())
        .bind(job.id.as_i64())
        .bind(job.priority)
        .bind(job.max_attempts)
        .bind(micros(job.scheduled_at))
        .bind(json!(job.tags).to_string())
        .bind(job.metadata.clone())
        .bind(job.data.clone())
        .bind(job.unique_key.map(|key| key.0.to_vec()))
        .bind(extras::size_of(job).to_string())
        .bind(job.extras.group_key.clone())
        .execute(&mut *work.conn)
        .await?;
    work.tell(std::slice::from_ref(job)).await
}
