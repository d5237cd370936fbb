//! The audit log: a table of its own, to which the dashboard and the command add what people change.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::backend::{AuditEntry, AuditLog, AuditPage, AuditRequest, Result};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    backend::SqliteBackend,
    core::Commit,
    queries,
    row::{instant_of, micros},
    script::json,
    work::Work,
};
use crate::common::{AuditColumns, looked_at, rows};

impl AuditLog for SqliteBackend {
    fn record_audit(&self, entries: Vec<AuditEntry>) -> BoxFuture<'_, Result<()>> {
        let step = async move |work: &mut Work<'_>| {
            let now = work.now;
            let row = |entry: AuditEntry| {
                let until = micros(entry.kept_until(now));
                let AuditEntry { by, via, action, object, executor, before, after, error, .. } = entry.bounded();
                let executor = executor.map(|executor| executor.to_string());
                (until, by, via, action, object.kind, object.id, executor, error, before, after)
            };
            let new: Vec<_> = entries.iter().cloned().map(row).collect();
            let record = sqlx::query(queries::record_audit()).bind(micros(now)).bind(json(&new)?);
            record.execute(&mut *work.conn).await?;
            prune(work).await.map(drop)
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }

    fn audit_page<'a>(&'a self, request: &'a AuditRequest) -> BoxFuture<'a, Result<AuditPage>> {
        let request = request.clone();
        Box::pin(self.look(async move |conn: &mut SqliteConnection, now: DateTime<Utc>| {
            let (kind, object) = request.object.clone().map(|object| (object.kind, object.id)).unzip();
            let executors = request.executors.as_ref().map(|names| names.iter().map(ToString::to_string).collect());
            let executors = executors.map(|names: Vec<String>| json(&names)).transpose()?;
            let most = looked_at(&request);
            let list = sqlx::query(queries::list_audit()).bind(micros(now));
            let list =
                list.bind(request.before.unwrap_or(i64::MAX)).bind(request.by.clone()).bind(request.action.clone());
            let list = list.bind(kind).bind(object).bind(executors);
            let list = list.bind(most).bind(rows(request.limit) + 1);
            let found = list.fetch_all(conn).await?;
            let first = found.first().ok_or(sqlx::Error::RowNotFound)?;
            let seen: i64 = first.try_get("rows")?;
            let last: Option<i64> = first.try_get("last")?;
            let mut records = Vec::with_capacity(found.len());
            for row in &found {
                if let Some(id) = row.try_get::<Option<i64>, _>("id")? {
                    records.push(columns(row)?.record(id));
                }
            }
            let last = last.filter(|_| seen >= most);
            Ok(AuditPage::new(now, records, request.limit, last))
        }))
    }

    fn prune_audit(&self) -> BoxFuture<'_, Result<bool>> {
        let step = async move |work: &mut Work<'_>| Ok(prune(work).await? >= AuditRequest::PRUNED as u64);
        Box::pin(self.0.writer.write(Commit::Progress, step))
    }
}

/// Deletes what has been kept for long enough; returns how many rows it was.
async fn prune(work: &mut Work<'_>) -> sqlx::Result<u64> {
    let prune = sqlx::query(queries::prune_audit()).bind(micros(work.now)).bind(rows(AuditRequest::PRUNED));
    Ok(prune.execute(&mut *work.conn).await?.rows_affected())
}

fn columns(row: &SqliteRow) -> sqlx::Result<AuditColumns> {
    let instant = |column: &'static str| instant_of(row.try_get(column)?, column).map_err(sqlx::Error::Decode);
    Ok(AuditColumns {
        at: instant("at")?,
        kept_until: instant("kept_until")?,
        who: row.try_get("who")?,
        via: row.try_get("via")?,
        action: row.try_get("action")?,
        kind: row.try_get("kind")?,
        object: row.try_get("object")?,
        executor: row.try_get("executor")?,
        error: row.try_get("error")?,
        was: row.try_get("was")?,
        became: row.try_get("became")?,
    })
}
