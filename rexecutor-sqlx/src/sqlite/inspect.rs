//! Looking at stored jobs and changing them by hand.

use rexecutor::{
    backend::{AmendError, BackendError, Filter, Inspect, JobChange, JobRow, Result, lifecycle},
    job::{ExecutorName, JobId},
};
use sqlx::{Row, SqliteConnection};

use super::{
    SqliteBackend,
    error::failed,
    filter, row,
    write::{self, commit, read_errors},
};

type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Inspect for SqliteBackend {
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>> {
        Box::pin(async move {
            match &self.0.readers {
                Some(readers) => {
                    let mut reader = readers.acquire().await.map_err(failed("could not read jobs"))?;
                    self.read(&mut reader, filter, limit).await
                }
                None => self.read(self.writer().await.connection(), filter, limit).await,
            }
        })
    }

    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(async move {
            let now = self.now();
            self.amend(executor, job, |row| lifecycle::cancel(row, reason, now)).await?;
            self.0.bells.each(|bell| bell.cancel(job));
            Ok(())
        })
    }

    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(async move {
            let now = self.now();
            self.amend(executor, job, |row| lifecycle::rerun(row, now)).await?;
            self.0.bells.each(|bell| bell.ring(executor));
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
            self.amend(executor, job, |row| lifecycle::update(row, change)).await?;
            self.0.bells.each(|bell| bell.ring(executor));
            Ok(())
        })
    }
}

impl SqliteBackend {
    /// Reads in SQL what may match, and decides here what does: JSON has no one way of being written.
    async fn read(&self, connection: &mut SqliteConnection, filter: &Filter, limit: usize) -> Result<Vec<JobRow>> {
        let now = self.now();
        let failed = failed("could not read jobs");
        let mut jobs = Vec::new();
        let mut after = i64::MIN;
        // A batch at a time, so that a limit is reached without reading everything.
        while jobs.len() < limit {
            let rows = filter::query(filter, now, after).build().fetch_all(&mut *connection).await.map_err(&failed)?;
            let Some(last) = rows.last() else { break };
            after = last.try_get("id").map_err(&failed)?;
            for row in &rows {
                let job = row::job(row).map_err(|error| unreadable(row, error))?;
                if filter.matches(&job, now) && jobs.len() < limit {
                    jobs.push(job);
                }
            }
        }
        read_errors(connection, &mut jobs.iter_mut().collect::<Vec<_>>()).await.map_err(&failed)?;
        Ok(jobs)
    }

    async fn amend(
        &self,
        executor: &ExecutorName,
        id: JobId,
        change: impl FnOnce(&mut JobRow) -> Result<(), AmendError>,
    ) -> Result<(), AmendError> {
        let failed = failed("could not change the job");
        let mut writer = self.writer().await;
        let mut transaction = writer.begin().await.map_err(&failed)?;
        let found = write::find(&mut transaction, id).await.map_err(&failed)?;
        let mut row = found.filter(|row| row.executor == *executor).ok_or(AmendError::NotFound(id))?;
        change(&mut row)?;
        write::store_content(&mut transaction, &row).await.map_err(&failed)?;
        write::store_state(&mut transaction, &row).await.map_err(&failed)?;
        Ok(commit(transaction, "could not change the job").await?)
    }
}

fn unreadable(row: &sqlx::sqlite::SqliteRow, error: sqlx::Error) -> BackendError {
    let id = row.try_get::<i64, _>("id").unwrap_or_default();
    BackendError::permanent(format!("the row with id {id} cannot be read as a job"), error)
}
