//! Telling what was changed, by whom: the log of the program, the audit log of the backend, and whoever else wants to know.

use std::{fmt, time::Duration};

use rexecutor::{
    backend::{AuditEntry, AuditObject, JobRow},
    job::ExecutorName,
};
use serde_json::Value;

use crate::request::Cx;

/// A change that somebody has made, or tried to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Who.
    pub by: String,
    /// Through what: `dashboard`, or `api`.
    pub via: &'static str,
    /// What, in a word: `cancel`, `retry`, `again`, `release`, `priority`, `pause`, `resume`, `trigger`, `remove`, `delete`,
    /// `enqueue`.
    pub action: &'static str,
    /// What was changed.
    pub object: AuditObject,
    /// Whose jobs it is about; `None`: those of all executors.
    pub executor: Option<ExecutorName>,
    /// What was there before, as far as it matters.
    pub before: Value,
    /// What is there now. Of many jobs: how many were changed.
    pub after: Value,
    /// Why it was not done; `None`: it was.
    pub error: Option<String>,
}

impl Change {
    pub(crate) fn new(cx: &Cx, action: &'static str, object: AuditObject) -> Self {
        let (by, via) = (cx.access.name().to_owned(), cx.via);
        Self { by, via, action, object, executor: None, before: Value::Null, after: Value::Null, error: None }
    }

    pub(crate) fn of_job(cx: &Cx, action: &'static str, job: &JobRow) -> Self {
        Self::new(cx, action, AuditObject::job(job.id)).of_executor(&job.executor)
    }

    pub(crate) fn of_executor(self, executor: &ExecutorName) -> Self {
        Self { executor: Some(executor.clone()), ..self }
    }

    pub(crate) fn changing(self, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Self { before: before.into(), after: after.into(), ..self }
    }

    /// What has come of it.
    pub(crate) fn ended<T>(mut self, answer: &Result<T, impl fmt::Display>) -> Self {
        self.error = answer.as_ref().err().map(ToString::to_string);
        self
    }

    fn entry(&self, kept: Duration) -> AuditEntry {
        let entry = AuditEntry::new(self.by.clone(), self.action, self.object.clone()).with_via(self.via);
        let entry = entry.with_executor(self.executor.clone()).with_error(self.error.clone()).kept_for(kept);
        let entry = if self.before.is_null() { entry } else { entry.with_before(self.before.to_string()) };
        if self.after.is_null() { entry } else { entry.with_after(self.after.to_string()) }
    }
}

/// Is told of every change, after it was made or refused. A closure is one.
pub trait Audit: Send + Sync + 'static {
    /// Takes it in. It is called on the request's task: what takes long is to be handed on.
    fn record(&self, change: &Change);
}

impl<F: Fn(&Change) + Send + Sync + 'static> Audit for F {
    fn record(&self, change: &Change) {
        self(change);
    }
}

/// Tells of changes, and records them in the audit log of the backend, if it keeps one. What was changed stays so if that fails, and the log
/// of the program says what is missing.
pub(crate) async fn record(cx: &Cx, changes: &[Change]) {
    for change in changes {
        log(change);
        if let Some(audit) = &cx.shared.audit {
            audit.record(change);
        }
    }
    let Some(audit_log) = cx.backend().audit_log().filter(|_| !changes.is_empty()) else { return };
    let entries = changes.iter().map(|change| change.entry(cx.shared.audit_retention)).collect();
    if let Err(error) = audit_log.record_audit(entries).await {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, changes = changes.len(), "the audit log lacks changes that were made in the dashboard");
    }
}

fn log(change: &Change) {
    let Change { by, via, action, object, executor, before, after, error } = change;
    tracing::info!(
        by,
        via,
        action,
        kind = object.kind,
        object = object.id,
        job.executor = executor.as_ref().map(ToString::to_string),
        before = %before,
        after = %after,
        error = error.as_deref(),
        "somebody has changed something in the dashboard"
    );
}
