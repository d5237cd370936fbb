//! Reading rows under their locks, and writing them back.

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{EventKind, Failure, JobRow, Marks, OnDiscard, lifecycle},
    clock::{Clock, SystemClock},
    job::{ErrorType, JobError, JobId},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{backend::Database, row};

/// Rows that nobody else can change before the transaction ends.
#[derive(Default)]
pub(super) struct Locked {
    pub(super) jobs: Vec<JobRow>,
    /// Rows that cannot be read as jobs.
    pub(super) unreadable: Vec<Unreadable>,
    /// The present, no earlier than when the last of them was locked.
    pub(super) now: Option<DateTime<Utc>>,
}

impl Locked {
    pub(super) fn read(rows: &[PgRow]) -> sqlx::Result<Self> {
        let mut locked = Self::default();
        for stored in rows {
            locked.now = locked.now.max(Some(row::instant(stored, "now")?));
            match row::job(stored) {
                Ok(job) => locked.jobs.push(job),
                Err(error) => locked.unreadable.push(unreadable(stored, &error)?),
            }
        }
        Ok(locked)
    }
}

/// A row that is no job, and why.
pub(super) struct Unreadable {
    pub(super) id: i64,
    details: String,
}

/// A row that cannot be read; says so in the log.
pub(super) fn unreadable(stored: &PgRow, error: &sqlx::Error) -> sqlx::Result<Unreadable> {
    let id = stored.try_get::<i64, _>("id")?;
    tracing::error!(
        job.id = id,
        error = error as &dyn std::error::Error,
        "job discarded because its row cannot be read"
    );
    Ok(Unreadable { id, details: format!("the stored row cannot be read: {error}") })
}

impl Database {
    /// Locks jobs, and reads of them what a change of status needs.
    pub(super) async fn lock_states(&self, connection: &mut PgConnection, ids: Vec<i64>) -> sqlx::Result<Locked> {
        let query = self.query(&self.queries.lock_states).bind(self.now()).bind(ids);
        Locked::read(&query.fetch_all(connection).await?)
    }

    /// Locks jobs, and reads all of them.
    pub(super) async fn lock_jobs(&self, connection: &mut PgConnection, ids: Vec<i64>) -> sqlx::Result<Vec<PgRow>> {
        self.query(&self.queries.lock_jobs).bind(self.now()).bind(ids).fetch_all(connection).await
    }

    /// Stores what a change of status changes. The errors that `jobs` have are added to the stored ones. Gives the jobs whose ends
    /// are to be told after the commit.
    pub(super) async fn store_states(
        &self,
        connection: &mut PgConnection,
        jobs: &[JobRow],
    ) -> sqlx::Result<Vec<JobId>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let errors = jobs.iter().map(|job| job.errors.last().map(serde_json::to_string).transpose());
        let errors = errors.collect::<Result<Vec<_>, _>>().map_err(|error| sqlx::Error::Encode(error.into()))?;
        let query = self
            .query(&self.queries.store_states)
            .bind(each(jobs, |job| job.id.as_i64()))
            .bind(each(jobs, |job| job.status.as_str()))
            .bind(each(jobs, |job| i32::from(job.attempt)))
            .bind(each(jobs, |job| job.scheduled_at))
            .bind(each(jobs, |job| job.node.map(|node| node.0)))
            .bind(each(jobs, |job| job.extras.cancel_reason.clone()))
            .bind(each(jobs, JobRow::finished_at))
            .bind(errors)
            .bind(each(jobs, |job| job.marks.stored().map(u32::cast_signed)))
            .bind(each(jobs, |job| job.extras.output.clone()))
            .bind(each(jobs, JobRow::deadline))
            .bind(each(jobs, |job| job.lease.0))
            .bind(each(jobs, |job| job.extras.order.map(OnDiscard::stored)))
            .bind(each(jobs, happened))
            .bind(self.now());
        query.execute(connection).await?;
        Ok(awaited_ends(jobs))
    }

    /// Deletes jobs that are complete, with their steps. Gives those whose ends are to be told after the commit.
    pub(super) async fn delete_jobs(&self, connection: &mut PgConnection, jobs: &[JobRow]) -> sqlx::Result<Vec<JobId>> {
        if !jobs.is_empty() {
            let with_steps = jobs.iter().filter(|job| job.marks.contains(Marks::STEPS)).map(|job| job.id.as_i64());
            self.delete_steps(connection, with_steps.collect()).await?;
            self.count_as_gone(connection, jobs).await?;
            let delete = self.query(&self.queries.delete_jobs).bind(each(jobs, |job| job.id.as_i64()));
            let delete = delete.bind(each(jobs, happened)).bind(self.now());
            delete.execute(connection).await?;
        }
        Ok(awaited_ends(jobs))
    }

    /// Stores what an update, or a unique job that replaces another, changes. If the job's state is stored next, that tells of it.
    pub(super) async fn store_content(
        &self,
        connection: &mut PgConnection,
        job: &JobRow,
        tells: bool,
    ) -> sqlx::Result<()> {
        let query = self
            .query(&self.queries.store_content)
            .bind(job.id.as_i64())
            .bind(job.data.clone())
            .bind(job.metadata.clone())
            .bind(i32::from(job.max_attempts))
            .bind(i32::from(job.priority))
            .bind(job.tags.clone())
            .bind(job.scheduled_at)
            .bind(job.unique_key.map(|key| key.0.to_vec()))
            .bind(job.extras.group_key.clone())
            .bind(job.extras.weight.map(i64::from))
            .bind(happened(job).filter(|_| tells))
            .bind(self.now());
        query.execute(connection).await.map(drop)
    }

    /// Discards rows that cannot be read, with the reason, so that nobody meets them again.
    pub(super) async fn quarantine(
        &self,
        connection: &mut PgConnection,
        unreadable: Vec<Unreadable>,
    ) -> sqlx::Result<()> {
        if unreadable.is_empty() {
            return Ok(());
        }
        let now = self.now().unwrap_or_else(|| SystemClock.now());
        let error = |details: &String| {
            serde_json::to_string(&JobError::new(0, Failure::new(ErrorType::Decode, details.clone()), now))
        };
        let errors = unreadable.iter().map(|one| error(&one.details)).collect::<Result<Vec<_>, _>>();
        let errors = errors.map_err(|error| sqlx::Error::Encode(error.into()))?;
        let ids: Vec<i64> = unreadable.iter().map(|one| one.id).collect();
        let query = self.query(&self.queries.quarantine_jobs).bind(self.now()).bind(ids).bind(errors);
        query.execute(connection).await.map(drop)
    }
}

fn awaited_ends(jobs: &[JobRow]) -> Vec<JobId> {
    jobs.iter().filter(|job| lifecycle::is_awaited_end(job)).map(|job| job.id).collect()
}

/// What those who listen are told.
fn happened(job: &JobRow) -> Option<&'static str> {
    job.happened.kind().map(EventKind::as_str)
}

fn each<T>(jobs: &[JobRow], value: impl Fn(&JobRow) -> T) -> Vec<T> {
    jobs.iter().map(value).collect()
}
