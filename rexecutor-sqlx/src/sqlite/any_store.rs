//! Enqueuing in a transaction of `sqlx::Any` that is on SQLite.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{BackendError, JobRow, NewJob, Result, Unique},
    job::{JobId, uniqueness_criteria::UniqueKey},
};
use sqlx::{AnyConnection, AssertSqlSafe};

use super::{
    backend::SqliteBackend, error::backend_error, extras, queries, row::micros, script::json, store, transaction,
    unique,
};
use crate::common::{AnyStore, Content, row_of};

impl AnyStore for SqliteBackend {
    async fn announce(&self, conn: &mut AnyConnection, jobs: &[NewJob]) -> Result<()> {
        if conn.backend_name() != "SQLite" {
            let theirs = conn.backend_name();
            return Err(BackendError::message(format!(
                "the transaction is on {theirs} and the backend on SQLite: begin it on the backend's file"
            )));
        }
        let file = sqlx::query_scalar(queries::find_file()).fetch_optional(&mut *conn).await.map_err(backend_error)?;
        transaction::check(self.0.path.as_deref(), file.filter(|file: &String| !file.is_empty()).map(PathBuf::from))?;
        self.take_places_in_any(conn, jobs).await
    }

    /// Nobody else can write before the transaction ends.
    async fn lock_key(&self, _: &mut AnyConnection, _: UniqueKey) -> sqlx::Result<()> {
        Ok(())
    }

    async fn release_key(&self, _: &mut AnyConnection, _: UniqueKey) -> sqlx::Result<()> {
        Ok(())
    }

    async fn conflict(&self, conn: &mut AnyConnection, unique: &Unique) -> sqlx::Result<Option<JobId>> {
        let request = unique::requests(&[unique], self.0.clock.now());
        let id: Option<i64> =
            sqlx::query_scalar(queries::find_conflicts()).bind(request.to_string()).fetch_one(conn).await?;
        Ok(id.map(JobId::from))
    }

    async fn lock_content(&self, conn: &mut AnyConnection, id: JobId) -> sqlx::Result<Option<(JobRow, DateTime<Utc>)>> {
        let find = sqlx::query_as(queries::find_content()).bind(id.as_i64());
        let content: Option<Content> = find.fetch_optional(conn).await?;
        Ok(content.and_then(|content| row_of(id, content)).map(|row| (row, self.0.clock.now())))
    }

    async fn store_content(&self, conn: &mut AnyConnection, row: &JobRow) -> sqlx::Result<()> {
        let store = sqlx::query(queries::store_content())
            .bind(row.id.as_i64())
            .bind(i32::from(row.priority))
            .bind(i32::from(row.max_attempts))
            .bind(micros(row.scheduled_at))
            .bind(json(&row.tags)?)
            .bind(row.metadata.clone())
            .bind(row.data.clone())
            .bind(row.unique_key.map(|key| key.0.to_vec()))
            .bind(extras::size_of(row).to_string())
            .bind(row.extras.group_key.clone());
        store.execute(conn).await.map(drop)
    }

    async fn insert(&self, conn: &mut AnyConnection, job: &NewJob) -> sqlx::Result<JobId> {
        let row = json(&[store::row(&store::New::of(job, self.0.clock.now()), true)?])?;
        sqlx::query(AssertSqlSafe(extras::INSERT.as_str())).bind(row).execute(&mut *conn).await?;
        let id: i64 = sqlx::query_scalar(queries::find_last_job()).fetch_one(conn).await?;
        Ok(JobId::from(id))
    }

    fn error(&self, error: sqlx::Error) -> BackendError {
        backend_error(error)
    }
}
