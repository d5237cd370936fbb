//! What people have changed by hand.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready};
use crate::{
    backend::audit::{AuditLog, AuditPage, AuditRequest},
    model::{AuditEntry, AuditRecord, Result},
};

/// What was recorded, by number.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    records: BTreeMap<i64, AuditRecord>,
    last: i64,
}

impl Recorded {
    fn is_over(record: &AuditRecord, now: DateTime<Utc>) -> bool {
        record.entry.kept_until(record.at) <= now
    }

    fn add(&mut self, entry: AuditEntry, now: DateTime<Utc>) {
        self.last += 1;
        self.records.insert(self.last, AuditRecord::new(self.last, now, entry.bounded()));
    }

    /// Deletes those whose time is over; returns whether there may be more.
    fn prune(&mut self, now: DateTime<Utc>) -> bool {
        let over = self.records.values().filter(|record| Self::is_over(record, now));
        let mut over: Vec<_> = over.map(|record| (record.entry.kept_until(record.at), record.id)).collect();
        over.sort_unstable();
        over.truncate(AuditRequest::PRUNED);
        over.iter().for_each(|(_, id)| drop(self.records.remove(id)));
        over.len() >= AuditRequest::PRUNED
    }
}

impl AuditLog for InMemoryBackend {
    fn record_audit(&self, entries: Vec<AuditEntry>) -> BoxFuture<'_, Result<()>> {
        let (mut store, now) = self.store();
        entries.into_iter().for_each(|entry| store.audit.add(entry, now));
        store.audit.prune(now);
        ready(Ok(()))
    }

    fn audit_page<'a>(&'a self, request: &'a AuditRequest) -> BoxFuture<'a, Result<AuditPage>> {
        let (store, now) = self.store();
        let behind = store.audit.records.range(..request.before.unwrap_or(i64::MAX)).rev().map(|(_, record)| record);
        let found = behind.filter(|record| !Recorded::is_over(record, now) && request.matches(record));
        let found = found.take(request.limit + 1).cloned().collect();
        ready(Ok(AuditPage::new(now, found, request.limit, None)))
    }

    fn prune_audit(&self) -> BoxFuture<'_, Result<bool>> {
        let (mut store, now) = self.store();
        ready(Ok(store.audit.prune(now)))
    }
}
