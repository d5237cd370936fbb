//! Looking at stored jobs and changing them by hand.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{AmendError, BackendError, Filter, Inspect, JobChange, JobRow, Result, lifecycle},
    job::{ExecutorName, JobId},
};
use sqlx::{Row, postgres::PgRow};

use super::{
    backend::{Database, PgBackend},
    error::failed,
    filter, row,
};

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
            self.0.amend(executor, job, |row, now| lifecycle::cancel(row, reason, now)).await?;
            self.0.listeners.each(|wakeup| wakeup.cancel(job));
            self.0.tell(Default::default(), Some(job));
            Ok(())
        })
    }

    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(async move {
            self.0.amend(executor, job, lifecycle::rerun).await?;
            self.0.wake([executor.clone()].into());
            Ok(())
        })
    }

    fn release<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(async move {
            self.0.amend(executor, job, lifecycle::release).await?;
            self.0.wake([executor.clone()].into());
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
            self.0.amend(executor, job, |row, _| lifecycle::update(row, change)).await?;
            self.0.wake([executor.clone()].into());
            Ok(())
        })
    }
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
                    Err(error) => tracing::warn!(
                        job.id = last,
                        error = &error as &dyn std::error::Error,
                        "job left out because its row cannot be read"
                    ),
                }
            }
            if i64::try_from(rows.len()).is_ok_and(|rows| rows < batch) {
                break;
            }
        }
        Ok(jobs)
    }

    async fn present(&self) -> sqlx::Result<chrono::DateTime<chrono::Utc>> {
        if let Some(now) = self.now() {
            return Ok(now);
        }
        let mut transaction = self.begin_free().await?;
        let row = self.query(&self.queries.read_clock).bind(self.now()).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        row::instant(&row, "now")
    }

    async fn amend(
        &self,
        executor: &ExecutorName,
        id: JobId,
        change: impl FnOnce(&mut JobRow, chrono::DateTime<chrono::Utc>) -> Result<(), AmendError>,
    ) -> Result<(), AmendError> {
        let work = async {
            let mut transaction = self.begin().await?;
            let stored = self.lock_jobs(&mut transaction, vec![id.as_i64()]).await?;
            let Some(stored) = stored.first().filter(|row| is_of(row, executor)) else {
                return Ok(Err(AmendError::NotFound(id)));
            };
            let mut job = row::job(stored)?;
            // What is added to the stored ones: nothing.
            job.errors.clear();
            if let Err(refusal) = change(&mut job, row::instant(stored, "now")?) {
                return Ok(Err(refusal));
            }
            self.store_content(&mut transaction, &job).await?;
            self.store_states(&mut transaction, &[job]).await?;
            transaction.commit().await?;
            Ok(Ok(()))
        };
        self.limited("could not change the job", work).await?
    }
}

fn is_of(row: &PgRow, executor: &ExecutorName) -> bool {
    row.try_get::<&str, _>("executor").is_ok_and(|name| name == executor.as_str())
}
