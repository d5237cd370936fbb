//! What both databases say of the audit log.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{AuditEntry, AuditObject, AuditRecord, AuditRequest},
    job::ExecutorName,
};

/// A number of rows, as databases count them.
pub(crate) fn rows(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How many rows are looked at for a page: where an index finds what is asked for, and nothing else, no more than are given.
pub(crate) fn looked_at(request: &AuditRequest) -> i64 {
    let has_index = request.by.is_none() || request.object.is_none();
    let finds_all = has_index && request.action.is_none() && request.executors.is_none();
    if finds_all { rows(request.limit) + 1 } else { rows(AuditRequest::LOOKED_AT) }
}

/// The columns of a row that was recorded, but for its number.
#[derive(Debug)]
pub(crate) struct AuditColumns {
    pub(crate) at: DateTime<Utc>,
    pub(crate) kept_until: DateTime<Utc>,
    pub(crate) who: String,
    pub(crate) via: String,
    pub(crate) action: String,
    pub(crate) kind: String,
    pub(crate) object: String,
    pub(crate) executor: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) was: Option<String>,
    pub(crate) became: Option<String>,
}

impl AuditColumns {
    pub(crate) fn record(self, id: i64) -> AuditRecord {
        let entry = AuditEntry::new(self.who, self.action, AuditObject::new(self.kind, self.object)).with_via(self.via);
        let entry = entry.with_executor(self.executor.map(ExecutorName::from)).with_error(self.error);
        let entry = entry.kept_for((self.kept_until - self.at).to_std().unwrap_or(Duration::ZERO));
        let entry = self.was.map_or(entry.clone(), |was| entry.with_before(was));
        let entry = self.became.map_or(entry.clone(), |became| entry.with_after(became));
        AuditRecord::new(id, self.at, entry)
    }
}
