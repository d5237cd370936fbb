//! Looking at stored jobs and changing them by hand.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AmendError, BackendError, Filter, Inspect, JobChange, JobRow, KeyChange, Marks, Result, Unique,
        flows::FlowEnds, lifecycle,
    },
    job::{ExecutorName, JobId, JobStatus, uniqueness_criteria::UniqueKey},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    backend::{Database, PgBackend},
    enqueue::age,
    error::failed,
    filter, row,
    session::Progress,
};

/// What a rerun does to a row.
type Rerun = fn(&mut JobRow, DateTime<Utc>) -> Result<(), AmendError>;

impl PgBackend {
    async fn rerun_by(&self, rerun: Rerun, executor: &ExecutorName, job: JobId) -> Result<(), AmendError> {
        let rerun = |row: &mut JobRow, now| {
            let beside = lifecycle::beside_rerun(row);
            rerun(row, now).map(|()| beside)
        };
        self.0.amend(Amendment { executor, job, verb: "rerun", key: Key::OfJob }, rerun).await?;
        self.0.wake_and_tell([executor.clone()].into()).await;
        Ok(())
    }
}

impl Inspect for PgBackend {
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>> {
        Box::pin(self.0.find(filter, limit))
    }

    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(async move {
            let (mut is_in_line, mut ends) = (false, FlowEnds::default());
            let cancel = |row: &mut JobRow, now| {
                is_in_line = row.extras.order.is_some();
                lifecycle::cancel(row, reason, now)?;
                ends = FlowEnds::of([&*row]);
                Ok(None)
            };
            self.0.amend(Amendment { executor, job, verb: "cancelled", key: Key::None }, cancel).await?;
            self.0.listeners.each(|wakeup| wakeup.cancel(job));
            self.0.tell_all(Default::default(), Some(job)).await;
            if is_in_line {
                // Those behind it may start.
                self.0.wake_and_tell([executor.clone()].into()).await;
            }
            self.0.advance_if_any(ends).await;
            Ok(())
        })
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
        Box::pin(async move {
            let release = |row: &mut JobRow, now| lifecycle::release(row, now).map(|()| None);
            self.0.amend(Amendment { executor, job, verb: "released", key: Key::None }, release).await?;
            self.0.wake_and_tell([executor.clone()].into()).await;
            Ok(())
        })
    }

    fn delete<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(async move {
            if self.0.delete_finished(executor, job).await? {
                // Those behind it may start.
                self.0.wake_and_tell([executor.clone()].into()).await;
            }
            Ok(())
        })
    }

    fn update<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        change: JobChange,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(async move {
            let key = match &change.key {
                KeyChange::Set(unique) => Key::This(unique.key),
                _ => Key::None,
            };
            let update = |row: &mut JobRow, _| {
                let beside = lifecycle::beside_update(row, &change);
                lifecycle::update(row, change).map(|()| beside)
            };
            self.0.amend(Amendment { executor, job, verb: "updated", key }, update).await?;
            self.0.wake_and_tell([executor.clone()].into()).await;
            Ok(())
        })
    }
}

/// Which job is to be changed, and how.
struct Amendment<'a> {
    executor: &'a ExecutorName,
    job: JobId,
    verb: &'static str,
    key: Key,
}

/// About which unique key something is decided.
enum Key {
    None,
    /// That of the job, if it has one.
    OfJob,
    This(UniqueKey),
}

impl Database {
    /// Reads in SQL what may match, and decides here what does: JSON has no one way of being written.
    async fn find(&self, filter: &Filter, limit: usize) -> Result<Vec<JobRow>> {
        const WHAT: &str = "could not read jobs";
        filter.check().map_err(BackendError::filter)?;
        let (mut jobs, mut last) = (Vec::new(), i64::MIN);
        let batch = i64::try_from(limit.clamp(100, 1_000)).unwrap_or(1_000);
        let now = self.limited(WHAT, self.present()).await?;
        while jobs.len() < limit {
            let work = async {
                let mut transaction = self.begin_free().await?;
                let query = filter::query(&self.queries.query_jobs, filter, now, last, batch);
                let rows = query.fetch_all(&mut *transaction).await?;
                transaction.commit().await?;
                Ok(rows)
            };
            let rows = self.limited(WHAT, work).await?;
            for stored in &rows {
                last = stored.try_get("id").map_err(failed(WHAT))?;
                match row::job(stored) {
                    Ok(job) if jobs.len() < limit && filter.matches(&job, now) => jobs.push(job),
                    Ok(_) => {}
                    Err(error) => filter::warn(last, &error),
                }
            }
            if i64::try_from(rows.len()).is_ok_and(|rows| rows < batch) {
                break;
            }
        }
        Ok(jobs)
    }

    async fn present(&self) -> sqlx::Result<DateTime<Utc>> {
        if let Some(now) = self.now() {
            return Ok(now);
        }
        let mut transaction = self.begin_free().await?;
        let row = self.query(&self.queries.read_clock).bind(self.now()).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        row::instant(&row, "now")
    }

    /// Changes a job, which may refuse. What `change` gives, if anything, is what no other job may stand in the way of.
    async fn amend(
        self: &Arc<Self>,
        amendment: Amendment<'_>,
        change: impl FnOnce(&mut JobRow, DateTime<Utc>) -> Result<Option<Unique>, AmendError>,
    ) -> Result<(), AmendError> {
        let Amendment { executor, job: id, verb, key } = amendment;
        let progress = Progress::default();
        let work = async {
            let mut transaction = self.begin().await?;
            // Before the row, in the order in which enqueuing locks them.
            let held = self.hold(&mut transaction, key, id).await?;
            progress.made();
            let stored = self.lock_jobs(&mut transaction, vec![id.as_i64()]).await?;
            progress.made();
            let Some(stored) = stored.first().filter(|row| is_of(row, executor)) else {
                return Ok(Err(AmendError::NotFound(id)));
            };
            let mut job = row::job(stored)?;
            // What is added to the stored ones: nothing.
            job.errors.clear();
            let had_steps = job.marks.contains(Marks::STEPS);
            let beside = match change(&mut job, row::instant(stored, "now")?) {
                Ok(beside) => beside,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if let Some(beside) = beside {
                if held.as_deref() != Some(&beside.key.0[..]) {
                    let changed = BackendError::transient("could not change the job", "its key has changed meanwhile");
                    return Ok(Err(changed.into()));
                }
                if let Some(existing) = self.rival(&mut transaction, &beside, id).await? {
                    return Ok(Err(AmendError::Duplicate { id, existing, verb }));
                }
            }
            if had_steps && !job.marks.contains(Marks::STEPS) {
                self.delete_steps(&mut transaction, vec![id.as_i64()]).await?;
            }
            self.store_content(&mut transaction, &job, false).await?;
            let ended = self.store_states(&mut transaction, &[job]).await?;
            if let Some(key) = held {
                let release = self.query(&self.queries.release_unique_keys).bind(vec![key]);
                release.execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            self.tell_ends(&ended);
            Ok(Ok(()))
        };
        self.limited_by(&progress, "could not change the job", work).await?
    }

    /// Deletes a finished job; gives whether that lets its line go on.
    async fn delete_finished(&self, executor: &ExecutorName, id: JobId) -> Result<bool, AmendError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let stored = self.lock_jobs(&mut transaction, vec![id.as_i64()]).await?;
            let Some(stored) = stored.first().filter(|row| is_of(row, executor)) else {
                return Ok(Err(AmendError::NotFound(id)));
            };
            let mut job = row::job(stored)?;
            if let Err(refusal) = lifecycle::delete(&mut job) {
                return Ok(Err(refusal));
            }
            let halted = job.halts_line();
            self.delete_jobs(&mut transaction, &[job]).await?;
            transaction.commit().await?;
            Ok(Ok(halted))
        };
        self.limited("could not delete the job", work).await?
    }

    /// Has others wait that are about to decide about this key; gives it, if there is one.
    async fn hold(&self, connection: &mut PgConnection, key: Key, job: JobId) -> sqlx::Result<Option<Vec<u8>>> {
        match key {
            Key::None => Ok(None),
            Key::This(key) => {
                let key = key.0.to_vec();
                let lock = self.query(&self.queries.lock_unique_keys).bind(vec![key.clone()]);
                lock.execute(connection).await?;
                Ok(Some(key))
            }
            Key::OfJob => {
                let lock = self.query(&self.queries.lock_key_of_job).bind(job.as_i64());
                lock.fetch_optional(connection).await?.map(|row| row.try_get("key")).transpose()
            }
        }
    }

    /// The newest job but `job` that stands in the way of one with these criteria.
    async fn rival(&self, connection: &mut PgConnection, unique: &Unique, job: JobId) -> sqlx::Result<Option<JobId>> {
        let query = self
            .query(&self.queries.find_rival)
            .bind(self.now())
            .bind(unique.key.0.to_vec())
            .bind(unique.statuses.iter().map(JobStatus::as_str).collect::<Vec<_>>())
            .bind(unique.within.map(age))
            .bind(job.as_i64());
        let found: Option<i64> = query.fetch_one(connection).await?.try_get("id")?;
        Ok(found.map(JobId::from))
    }
}

fn is_of(row: &PgRow, executor: &ExecutorName) -> bool {
    row.try_get::<&str, _>("executor").is_ok_and(|name| name == executor.as_str())
}
