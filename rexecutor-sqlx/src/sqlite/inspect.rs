//! Looking at stored jobs and changing them by hand.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AmendError, BackendError, Filter, Inspect, JobChange, JobRow, Marks, Result, Unique, flows::FlowEnds, lifecycle,
    },
    job::{ExecutorName, JobId},
};
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection};

use super::{
    backend::SqliteBackend,
    core::{Commit, Core},
    error::backend_error,
    filter, flows, queries, row, steps, unique,
    work::Work,
    write,
};

/// What a rerun does to a row.
type Rerun = fn(&mut JobRow, DateTime<Utc>) -> Result<(), AmendError>;

impl SqliteBackend {
    async fn rerun_by(&self, rerun: Rerun, executor: &ExecutorName, job: JobId) -> Result<(), AmendError> {
        let executor = executor.clone();
        let step = async move |work: &mut Work<'_>| {
            work.due.insert(executor.clone());
            let Some(mut row) = find(work, &executor, job).await? else { return Ok(Err(AmendError::NotFound(job))) };
            let beside = lifecycle::beside_rerun(&row);
            let had_steps = row.marks.contains(Marks::STEPS);
            if let Err(refusal) = rerun(&mut row, work.now) {
                return Ok(Err(refusal));
            }
            if let Some(duplicate) = duplicate(work, beside, job, "rerun").await? {
                return Ok(Err(duplicate));
            }
            if had_steps && !row.marks.contains(Marks::STEPS) {
                steps::delete(work, &[job]).await?;
            }
            row.errors.clear();
            write::store_states(work, &[row]).await?;
            Ok(Ok(()))
        };
        self.0.writer.write(Commit::Promise, step).await?
    }
}

impl Inspect for SqliteBackend {
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>> {
        Box::pin(async move {
            filter.check().map_err(BackendError::filter)?;
            let Some(readers) = &self.0.readers else {
                let filter = filter.clone();
                let step = async move |core: &mut Core| {
                    let now = core.clock.now();
                    filter::query(&mut core.conn, &filter, limit, now).await
                };
                return self.0.writer.run(step).await;
            };
            let mut reader = readers.take().await?;
            let answer = query(reader.conn(), filter, limit, &*self.0.clock).await;
            if answer.is_ok() {
                reader.keep().await;
            }
            answer.map_err(backend_error)
        })
    }

    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        let executor = executor.clone();
        let step = async move |work: &mut Work<'_>| {
            // A job that is over already may still be running here, in its last moments.
            work.cancelled.push(job);
            let now = work.now;
            let mut is_in_line = false;
            let cancel = |row: &mut JobRow| {
                is_in_line = row.extras.order.is_some();
                lifecycle::cancel(row, reason, now)
            };
            let answer = amend_state(work, &executor, job, cancel).await;
            if is_in_line {
                // Those behind it may start.
                work.due.insert(executor);
            }
            answer
        };
        Box::pin(async move { self.0.writer.write(Commit::Promise, step).await? })
    }

    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(self.rerun_by(lifecycle::rerun, executor, job))
    }

    fn rerun_unless_complete<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(self.rerun_by(lifecycle::rerun_unless_complete, executor, job))
    }

    fn release<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        let executor = executor.clone();
        let step = async move |work: &mut Work<'_>| {
            work.due.insert(executor.clone());
            let now = work.now;
            amend_state(work, &executor, job, |row| lifecycle::release(row, now)).await
        };
        Box::pin(async move { self.0.writer.write(Commit::Promise, step).await? })
    }

    fn delete<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        let executor = executor.clone();
        let step = async move |work: &mut Work<'_>| {
            let Some(mut row) = find(work, &executor, job).await? else { return Ok(Err(AmendError::NotFound(job))) };
            if let Err(refusal) = lifecycle::delete(&mut row) {
                return Ok(Err(refusal));
            }
            if row.halts_line() {
                // Those behind it may start.
                work.due.insert(executor);
            }
            write::delete_jobs(work, &[row]).await?;
            Ok(Ok(()))
        };
        Box::pin(async move { self.0.writer.write(Commit::Promise, step).await? })
    }

    fn update<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        change: JobChange,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        let executor = executor.clone();
        let step = async move |work: &mut Work<'_>| {
            work.due.insert(executor.clone());
            let Some(mut row) = find(work, &executor, job).await? else { return Ok(Err(AmendError::NotFound(job))) };
            let beside = lifecycle::beside_update(&row, &change);
            if let Err(refusal) = lifecycle::update(&mut row, change) {
                return Ok(Err(refusal));
            }
            if let Some(duplicate) = duplicate(work, beside, job, "updated").await? {
                return Ok(Err(duplicate));
            }
            write::store_content(work, &row).await?;
            Ok(Ok(()))
        };
        Box::pin(async move { self.0.writer.write(Commit::Promise, step).await? })
    }
}

/// The refusal to do this, if another job stands in the way.
async fn duplicate(
    work: &mut Work<'_>,
    beside: Option<Unique>,
    id: JobId,
    verb: &'static str,
) -> Result<Option<AmendError>, sqlx::Error> {
    let Some(beside) = beside else { return Ok(None) };
    let existing = unique::find_rival(work, &beside, id).await?;
    Ok(existing.map(|existing| AmendError::Duplicate { id, existing, verb }))
}

/// Changes the status of a job of `executor`, which may refuse.
async fn amend_state(
    work: &mut Work<'_>,
    executor: &ExecutorName,
    job: JobId,
    change: impl FnOnce(&mut JobRow) -> Result<(), AmendError>,
) -> Result<Result<(), AmendError>, sqlx::Error> {
    let Some(mut row) = find(work, executor, job).await? else { return Ok(Err(AmendError::NotFound(job))) };
    let answer = change(&mut row);
    if answer.is_ok() {
        // Its recorded errors are stored already; `store_states` adds those that it finds.
        row.errors.clear();
        let ends = FlowEnds::of([&row]);
        write::store_states(work, &[row]).await?;
        flows::advance_if_any(work, ends).await?;
    }
    Ok(answer)
}

/// The job, if it is of this executor. An unreadable one is an error and stays as it is.
pub(super) async fn find(
    work: &mut Work<'_>,
    executor: &ExecutorName,
    job: JobId,
) -> Result<Option<JobRow>, sqlx::Error> {
    let find = sqlx::query(queries::lock_jobs()).bind(json!([job]).to_string());
    let found = find.fetch_optional(&mut *work.conn).await?;
    // First of all: another executor's job is not found, also when it is unreadable.
    let ours = found.filter(|row| row.try_get::<&str, _>("executor").is_ok_and(|name| name == executor.as_str()));
    Ok(ours.map(|row| row::read(&row)).transpose()?)
}

/// Answers a query from one state of the file.
async fn query(
    conn: &mut SqliteConnection,
    filter: &Filter,
    limit: usize,
    clock: &dyn rexecutor::clock::Clock,
) -> Result<Vec<JobRow>, sqlx::Error> {
    let mut snapshot = conn.begin().await?;
    filter::query(&mut snapshot, filter, limit, clock.now()).await
}
