//! Enqueuing in a transaction of `sqlx::Any` that is on PostgreSQL.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{BackendError, Due, JobRow, NewJob, Result, Unique},
    job::{JobId, JobStatus, uniqueness_criteria::UniqueKey},
};
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row, any::AnyArguments, query::Query};

use super::{
    backend::{Database, PgBackend},
    enqueue::{age, executors, interval},
    error::failed,
    extras,
    notices::{NO_PROCESS, payloads},
    row::broken,
    transaction::{WHAT, elsewhere},
};
use crate::common::{AnyStore, Content, row_of};

impl Database {
    /// A statement of ours, of which sqlx only knows the text.
    fn any_query(&self, sql: &Arc<str>) -> Query<'static, Any, AnyArguments> {
        sqlx::query(AssertSqlSafe(sql.clone())).persistent(!self.options.transaction_pooling)
    }

    /// The test clock's time as text.
    fn any_now(&self) -> Option<String> {
        self.now().map(|now| now.to_rfc3339())
    }
}

impl AnyStore for PgBackend {
    async fn announce(&self, conn: &mut AnyConnection, jobs: &[NewJob]) -> Result<()> {
        if conn.backend_name() != "PostgreSQL" {
            return Err(elsewhere());
        }
        let identity = self.0.identify().await?;
        self.take_places(jobs).await?;
        let payloads = match self.0.options.listens() && self.0.options.notify_in_transactions {
            true => payloads(NO_PROCESS, executors(jobs), Default::default()),
            false => Vec::new(),
        };
        let query = self.0.any_query(&self.0.queries.announce_in_any).bind(self.0.queries.channel.clone());
        let query = query.bind(serde_json::json!(payloads).to_string());
        let row = query.fetch_one(conn).await.map_err(failed(WHAT))?;
        match (row.try_get("cluster"), row.try_get("database")) {
            (Ok(cluster), Ok(database)) if (cluster, database) == identity => Ok(()),
            _ => Err(elsewhere()),
        }
    }

    async fn lock_key(&self, conn: &mut AnyConnection, key: UniqueKey) -> sqlx::Result<()> {
        self.0.any_query(&self.0.queries.lock_unique_key).bind(key.0.to_vec()).execute(conn).await.map(drop)
    }

    async fn release_key(&self, conn: &mut AnyConnection, key: UniqueKey) -> sqlx::Result<()> {
        self.0.any_query(&self.0.queries.release_unique_key).bind(key.0.to_vec()).execute(conn).await.map(drop)
    }

    async fn conflict(&self, conn: &mut AnyConnection, unique: &Unique) -> sqlx::Result<Option<JobId>> {
        let statuses = unique.statuses.iter().map(JobStatus::as_str).collect::<Vec<_>>().join(",");
        let query = self.0.any_query(&self.0.queries.find_conflict).bind(self.0.any_now());
        let query = query.bind(unique.key.0.to_vec()).bind(statuses);
        let query = query.bind(unique.within.map(|within| age(within).microseconds));
        Ok(query.fetch_one(conn).await?.try_get::<Option<i64>, _>("id")?.map(JobId::from))
    }

    async fn lock_content(&self, conn: &mut AnyConnection, id: JobId) -> sqlx::Result<Option<(JobRow, DateTime<Utc>)>> {
        let query = self.0.any_query(&self.0.queries.lock_content).bind(self.0.any_now()).bind(id.as_i64());
        let Some(row) = query.fetch_optional(conn).await? else { return Ok(None) };
        let now = DateTime::from_timestamp_micros(row.try_get("now")?).ok_or_else(|| broken("now", "no time"))?;
        let content: Content = sqlx::FromRow::from_row(&row)?;
        Ok(row_of(id, content).map(|row| (row, now)))
    }

    async fn store_content(&self, conn: &mut AnyConnection, row: &JobRow) -> sqlx::Result<()> {
        let query = self.0.any_query(&self.0.queries.store_content_in_any).bind(row.id.as_i64());
        let query = query.bind(row.data.clone()).bind(row.metadata.clone()).bind(i32::from(row.max_attempts));
        let query = query.bind(i32::from(row.priority)).bind(serde_json::json!(row.tags).to_string());
        let query = query.bind(row.scheduled_at.to_rfc3339()).bind(row.extras.group_key.clone());
        query.bind(row.extras.weight.map(i64::from)).execute(conn).await.map(drop)
    }

    async fn insert(&self, conn: &mut AnyConnection, job: &NewJob) -> sqlx::Result<JobId> {
        let (due_at, delay) = match job.due {
            Due::At(at) => (Some(at.to_rfc3339()), None),
            Due::In(delay) => (None, Some(interval(delay.max(TimeDelta::zero())).microseconds)),
            _ => (None, None),
        };
        let query = self
            .0
            .any_query(&self.0.queries.insert_job)
            .bind(self.0.any_now())
            .bind(job.executor.to_string())
            .bind(job.data.clone())
            .bind(job.metadata.clone())
            .bind(i32::from(job.max_attempts))
            .bind(i32::from(job.priority))
            .bind(serde_json::json!(job.tags).to_string())
            .bind(due_at)
            .bind(delay)
            .bind(job.unique.as_ref().map(|unique| unique.key.0.to_vec()))
            .bind(extras::extras(job));
        Ok(JobId::from(query.fetch_one(conn).await?.try_get::<i64, _>("id")?))
    }

    fn error(&self, error: sqlx::Error) -> BackendError {
        failed(WHAT)(error)
    }
}
