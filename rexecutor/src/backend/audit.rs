//! The audit log: who has changed what by hand.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::capabilities::Backend;
use crate::model::{AuditEntry, AuditObject, AuditRecord, BackendError, ExecutorName, Result, audited_name};

/// Keeps an audit log: what people have changed, who it was, and when.
///
/// # Contract
///
/// - The entries of a call are stored all or not at all, in their order, as [`AuditEntry::bounded`] says, and at the backend's present.
///   Numbers rise in that order. They outlive nodes and processes.
/// - A call whose answer is lost may have stored them: whoever repeats it stores them twice.
/// - An entry is on no page any more once [the time that it is kept](AuditEntry::kept) is over. `record_audit` and `prune_audit` delete such entries, at
///   most [`PRUNED`](AuditRequest::PRUNED) of them in a call, those whose time was over first; `prune_audit` returns whether there may be more.
/// - A page has what matches the request, the newest first. It costs a bounded number of rows, however long the log is: where few of many
///   match, a page may have fewer than were asked for, and says that it [is partial](AuditPage::is_partial).
pub trait AuditLog: Send + Sync {
    /// Records changes.
    fn record_audit(&self, entries: Vec<AuditEntry>) -> BoxFuture<'_, Result<()>>;

    /// What was recorded.
    fn audit_page<'a>(&'a self, request: &'a AuditRequest) -> BoxFuture<'a, Result<AuditPage>>;

    /// Deletes entries whose time is over; returns whether there may be more.
    fn prune_audit(&self) -> BoxFuture<'_, Result<bool>>;
}

/// The capability to keep an audit log, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn audit_log<B: Backend + ?Sized>(backend: &B) -> Result<&dyn AuditLog> {
    backend.audit_log().ok_or_else(|| BackendError::unsupported(backend.name(), "an audit log (`Backend::audit_log`)"))
}

/// What is asked of the audit log. All conditions that are given have to hold. Names are looked for as they are [stored](AuditEntry::bounded).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a request does nothing before it is asked"]
pub struct AuditRequest {
    /// Changes that this one has made.
    pub by: Option<String>,
    /// Changes of this kind, as `cancel`.
    pub action: Option<String>,
    /// Changes of this object.
    pub object: Option<AuditObject>,
    /// Changes about the jobs of one of these executors. Those about all executors, as a pause of the cluster, are not among them.
    pub executors: Option<Vec<ExecutorName>>,
    /// Those recorded before the one of this number.
    pub before: Option<i64>,
    /// At most so many: 1 to [`MOST`](Self::MOST).
    pub limit: usize,
}

impl AuditRequest {
    /// How many entries a page has at most.
    pub const MOST: usize = 500;

    /// How many rows are looked at for one page at most.
    pub const LOOKED_AT: usize = 10_000;

    /// How many entries whose time is over a call deletes at most.
    pub const PRUNED: usize = 1_000;

    /// The 50 newest entries.
    pub fn new() -> Self {
        Self { by: None, action: None, object: None, executors: None, before: None, limit: 50 }
    }

    /// … that this one has made; `None`: whoever it was.
    pub fn by(self, by: Option<String>) -> Self {
        Self { by: by.as_deref().map(audited_name), ..self }
    }

    /// … of this kind; `None`: of any.
    pub fn of_action(self, action: Option<String>) -> Self {
        Self { action: action.as_deref().map(audited_name), ..self }
    }

    /// … of this object; `None`: of any.
    pub fn of_object(self, object: Option<AuditObject>) -> Self {
        Self { object: object.as_ref().map(AuditObject::bounded), ..self }
    }

    /// … about the jobs of one of these executors; `None`: whatever they are about.
    pub fn of_executors(self, executors: Option<Vec<ExecutorName>>) -> Self {
        Self { executors, ..self }
    }

    /// … that were recorded before the one of this number, as [`AuditPage::next`] gives it; `None`: the newest.
    pub fn before(self, before: Option<i64>) -> Self {
        Self { before, ..self }
    }

    /// … at most so many: 1 to [`MOST`](Self::MOST); what is more or less counts as these.
    pub fn at_most(self, limit: usize) -> Self {
        Self { limit: limit.clamp(1, Self::MOST), ..self }
    }

    /// Whether a record is asked for, but for its number.
    pub fn matches(&self, record: &AuditRecord) -> bool {
        let entry = &record.entry;
        self.by.as_ref().is_none_or(|by| *by == entry.by)
            && self.action.as_ref().is_none_or(|action| *action == entry.action)
            && self.object.as_ref().is_none_or(|object| *object == entry.object)
            && self
                .executors
                .as_ref()
                .is_none_or(|executors| entry.executor.as_ref().is_some_and(|executor| executors.contains(executor)))
    }
}

impl Default for AuditRequest {
    fn default() -> Self {
        Self::new()
    }
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditPage {
    /// The backend's present.
    pub now: DateTime<Utc>,
    /// What matches, the newest first.
    pub records: Vec<AuditRecord>,
    /// [Before](AuditRequest::before) which number the next page begins; `None`: this is the last one.
    pub next: Option<i64>,
    /// Whether the page ends before it is full, because enough rows were looked at. There may be more, or none.
    pub is_partial: bool,
}

impl AuditPage {
    /// A page of these records. `found` may have one record more than the `limit`, which says that there is a next page; `looked_at_last`
    /// is the number at which the look ended before the end of the log.
    pub fn new(now: DateTime<Utc>, mut found: Vec<AuditRecord>, limit: usize, looked_at_last: Option<i64>) -> Self {
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = if has_more { found.last().map(|record| record.id) } else { looked_at_last };
        Self { now, records: found, next, is_partial: !has_more && looked_at_last.is_some() }
    }
}
