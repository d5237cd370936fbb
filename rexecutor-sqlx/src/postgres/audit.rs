//! The audit log: a table of its own, to which the dashboard and the command add what people change.

use std::time::Duration;

use futures::future::BoxFuture;
use rexecutor::backend::{AuditEntry, AuditLog, AuditPage, AuditRequest, Result};
use sqlx::{Row, postgres::PgRow};

use super::{
    backend::{Database, PgBackend},
    row,
};
use crate::common::{AuditColumns, looked_at, rows};

impl AuditLog for PgBackend {
    fn record_audit(&self, entries: Vec<AuditEntry>) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.0.limited("could not store entries of the audit log", self.0.record_audit(entries)))
    }

    fn audit_page<'a>(&'a self, request: &'a AuditRequest) -> BoxFuture<'a, Result<AuditPage>> {
        Box::pin(self.0.limited("could not read the audit log", self.0.list_audit(request)))
    }

    fn prune_audit(&self) -> BoxFuture<'_, Result<bool>> {
        let work = async move {
            let mut session = self.0.session().await?;
            let prune = self.0.query(&self.0.queries.prune_audit).bind(self.0.now());
            let pruned: i64 = prune.fetch_one(&mut *session).await?.try_get("pruned")?;
            session.end().await?;
            Ok(pruned >= rows(AuditRequest::PRUNED))
        };
        Box::pin(self.0.limited("could not prune the audit log", work))
    }
}

impl Database {
    async fn record_audit(&self, entries: Vec<AuditEntry>) -> sqlx::Result<()> {
        let entries: Vec<AuditEntry> = entries.into_iter().map(AuditEntry::bounded).collect();
        let kept = entries.iter().map(|entry| i64::try_from(entry.kept.as_micros()).unwrap_or(i64::MAX));
        let texts = |of: fn(&AuditEntry) -> &str| entries.iter().map(|entry| of(entry).to_owned()).collect::<Vec<_>>();
        let optional =
            |of: fn(&AuditEntry) -> Option<&str>| entries.iter().map(|entry| of(entry).map(str::to_owned)).collect();
        let optional = |of| -> Vec<Option<String>> { optional(of) };
        let mut session = self.session().await?;
        let record = self.query(&self.queries.record_audit).bind(self.now()).bind(kept.collect::<Vec<_>>());
        let record = record.bind(texts(|entry| &entry.by)).bind(texts(|entry| &entry.via));
        let record = record.bind(texts(|entry| &entry.action)).bind(texts(|entry| &entry.object.kind));
        let record = record.bind(texts(|entry| &entry.object.id));
        let record = record.bind(optional(|entry| entry.executor.as_ref().map(|executor| executor.as_str())));
        let record = record.bind(optional(|entry| entry.error.as_deref()));
        let record = record.bind(optional(|entry| entry.before.as_deref()));
        let record = record.bind(optional(|entry| entry.after.as_deref()));
        record.execute(&mut *session).await?;
        session.end().await
    }

    async fn list_audit(&self, request: &AuditRequest) -> sqlx::Result<AuditPage> {
        let (kind, object) = request.object.clone().map(|object| (object.kind, object.id)).unzip();
        let executors = request.executors.as_ref();
        let executors: Option<Vec<String>> =
            executors.map(|names| names.iter().map(ToString::to_string).filter(|name| !name.contains('\0')).collect());
        let mut transaction = self.begin_reading(Duration::from_secs(5)).await?;
        let most = looked_at(request);
        let list = self.query(&self.queries.list_audit).bind(self.now());
        let list = list.bind(request.before.unwrap_or(i64::MAX)).bind(request.by.clone()).bind(request.action.clone());
        let list = list.bind(kind).bind(object).bind(executors);
        let list = list.bind(most).bind(rows(request.limit) + 1);
        let found = list.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        let first = found.first().ok_or(sqlx::Error::RowNotFound)?;
        let seen: i64 = first.try_get("rows")?;
        let last: Option<i64> = first.try_get("last")?;
        let records = found.iter().filter_map(|row| {
            let id: Option<i64> = row.try_get("id").transpose()?.ok();
            id.map(|id| Ok(columns(row)?.record(id)))
        });
        let records = records.collect::<sqlx::Result<_>>()?;
        let last = last.filter(|_| seen >= most);
        Ok(AuditPage::new(row::instant(first, "now")?, records, request.limit, last))
    }
}

fn columns(row: &PgRow) -> sqlx::Result<AuditColumns> {
    Ok(AuditColumns {
        at: row::instant(row, "at")?,
        kept_until: row::instant(row, "kept_until")?,
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
