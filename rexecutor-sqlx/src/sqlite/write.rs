//! What several roles write: one transaction at a time, rows that the life cycle has changed.

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{JobRow, Result, lifecycle::Fate},
    job::{JobError, JobId},
};
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};
use tokio::sync::MutexGuard;

use super::{SqliteBackend, Synchronous, error::failed, row};

/// The writer, held until the transaction has ended.
pub(super) struct Writer<'a>(MutexGuard<'a, SqliteConnection>, Synchronous);

impl SqliteBackend {
    pub(super) async fn writer(&self) -> Writer<'_> {
        Writer(self.0.writer.lock().await, self.0.options.synchronous)
    }
}

impl Writer<'_> {
    /// Begins a transaction that may write, and that is durable once it is committed. Dropping it undoes it.
    pub(super) async fn begin(&mut self) -> sqlx::Result<Transaction<'_, Sqlite>> {
        self.synchronous(self.1).await?;
        self.0.begin_with("BEGIN IMMEDIATE").await
    }

    /// Begins a transaction that a loss of power may undo, and nothing else: a claim that is undone so leaves jobs that
    /// can be claimed. It need not wait for the disk.
    pub(super) async fn begin_lightly(&mut self) -> sqlx::Result<Transaction<'_, Sqlite>> {
        self.synchronous(Synchronous::Normal).await?;
        self.0.begin_with("BEGIN IMMEDIATE").await
    }

    /// Sets what commits wait for. Where every commit waits alike there is nothing to set.
    async fn synchronous(&mut self, level: Synchronous) -> sqlx::Result<()> {
        let pragma = match level {
            _ if self.1 == Synchronous::Normal => return Ok(()),
            Synchronous::Normal => "PRAGMA synchronous = NORMAL",
            Synchronous::Full => "PRAGMA synchronous = FULL",
        };
        sqlx::query(pragma).execute(&mut *self.0).await?;
        Ok(())
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// Reads a job whole.
pub(super) async fn find(connection: &mut SqliteConnection, id: JobId) -> sqlx::Result<Option<JobRow>> {
    let found = sqlx::query(include_str!("queries/find_job.sql")).bind(id.as_i64()).fetch_optional(connection).await?;
    found.as_ref().map(row::job).transpose()
}

/// Reads a job without its data, and changes it.
pub(super) async fn change_state<T>(
    connection: &mut SqliteConnection,
    id: JobId,
    change: impl FnOnce(&mut JobRow) -> (T, Fate),
) -> sqlx::Result<Option<(T, JobRow)>> {
    let query = sqlx::query(include_str!("queries/find_state.sql")).bind(id.as_i64());
    let Some(found) = query.fetch_optional(&mut *connection).await? else { return Ok(None) };
    let mut job = row::job(&found)?;
    let before = job.clone();
    let (answer, fate) = change(&mut job);
    match fate {
        Fate::Delete => {
            sqlx::query(include_str!("queries/delete_job.sql")).bind(id.as_i64()).execute(connection).await?;
        }
        Fate::Keep if job != before => store_state(connection, &job).await?,
        Fate::Keep => {}
    }
    Ok(Some((answer, job)))
}

/// Stores what a transition may have changed, and the errors that it has added.
pub(super) async fn store_state(connection: &mut SqliteConnection, job: &JobRow) -> sqlx::Result<()> {
    sqlx::query(include_str!("queries/store_state.sql"))
        .bind(job.id.as_i64())
        .bind(job.status.as_str())
        .bind(job.attempt)
        .bind(job.node.map(|node| node.0))
        .bind(&job.cancel_reason)
        .bind(job.scheduled_at.timestamp_micros())
        .bind(micros(job.completed_at))
        .bind(micros(job.cancelled_at))
        .bind(micros(job.discarded_at))
        .execute(&mut *connection)
        .await?;
    for error in &job.errors {
        store_error(connection, job.id, error).await?;
    }
    Ok(())
}

/// Stores what an update or a replacement may have changed.
pub(super) async fn store_content(connection: &mut SqliteConnection, job: &JobRow) -> sqlx::Result<()> {
    sqlx::query(include_str!("queries/store_content.sql"))
        .bind(job.id.as_i64())
        .bind(&job.data)
        .bind(&job.metadata)
        .bind(job.max_attempts)
        .bind(job.priority)
        .bind(tags(&job.tags))
        .bind(job.scheduled_at.timestamp_micros())
        .execute(connection)
        .await?;
    Ok(())
}

async fn store_error(connection: &mut SqliteConnection, job: JobId, error: &JobError) -> sqlx::Result<()> {
    sqlx::query(include_str!("queries/insert_error.sql"))
        .bind(job.as_i64())
        .bind(error.attempt)
        .bind(error.error_type.as_str())
        .bind(&error.details)
        .bind(error.recorded_at.timestamp_micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a row that cannot be read as a job out of the way.
pub(super) async fn set_aside(
    connection: &mut SqliteConnection,
    id: JobId,
    why: &sqlx::Error,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    tracing::error!(job.id = id.as_i64(), error = why as &dyn std::error::Error, "a row is no job, it is discarded");
    let query = sqlx::query(include_str!("queries/set_aside_job.sql"));
    query.bind(id.as_i64()).bind(now.timestamp_micros()).execute(&mut *connection).await?;
    let error = JobError {
        attempt: 0,
        error_type: rexecutor::job::ErrorType::Decode,
        details: format!("the row cannot be read as a job: {why}"),
        recorded_at: now,
    };
    store_error(connection, id, &error).await
}

/// Adds their errors to jobs, in one statement.
pub(super) async fn read_errors(connection: &mut SqliteConnection, jobs: &mut [&mut JobRow]) -> sqlx::Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let ids = serde_json::Value::from_iter(jobs.iter().map(|job| job.id.as_i64()));
    let query = sqlx::query(include_str!("queries/list_errors.sql")).bind(ids.to_string());
    let mut errors: std::collections::HashMap<JobId, Vec<JobError>> = std::collections::HashMap::new();
    for row in query.fetch_all(connection).await? {
        // An error that cannot be read must not keep its job from running.
        if let Ok((job, error)) = row::error(&row) {
            errors.entry(job).or_default().push(error);
        }
    }
    for job in jobs {
        job.errors = errors.remove(&job.id).unwrap_or_default();
    }
    Ok(())
}

pub(super) fn micros(at: Option<DateTime<Utc>>) -> Option<i64> {
    at.map(|at| at.timestamp_micros())
}

pub(super) fn tags(tags: &[String]) -> String {
    serde_json::Value::from(tags).to_string()
}

/// Ends a transaction well.
pub(super) async fn commit(transaction: Transaction<'_, Sqlite>, what: &'static str) -> Result<()> {
    transaction.commit().await.map_err(failed(what))
}
