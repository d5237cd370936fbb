//! Telling what was changed, by whom.

use std::fmt;

use rexecutor::job::{ExecutorName, JobId};
use serde_json::Value;

/// A change that somebody has made, or tried to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Who.
    pub by: String,
    /// What, in a word: `cancel`, `retry`, `release`, `priority`, `pause`, `resume`, `trigger`, `delete`,
    /// `enqueue`.
    pub action: &'static str,
    /// The executor; `None`: the whole cluster.
    pub executor: Option<ExecutorName>,
    /// The job, if it is about one.
    pub job: Option<JobId>,
    /// The schedule entry, if it is about one.
    pub schedule: Option<String>,
    /// What was there before, as far as it matters.
    pub before: Value,
    /// What is there now.
    pub after: Value,
    /// Why it was not done; `None`: it was.
    pub error: Option<String>,
}

impl Change {
    pub(crate) fn new(by: &str, action: &'static str) -> Self {
        let (before, after) = (Value::Null, Value::Null);
        Self { by: by.to_owned(), action, executor: None, job: None, schedule: None, before, after, error: None }
    }

    pub(crate) fn of_executor(self, executor: &ExecutorName) -> Self {
        Self { executor: Some(executor.clone()), ..self }
    }

    pub(crate) fn of_job(self, job: JobId) -> Self {
        Self { job: Some(job), ..self }
    }

    pub(crate) fn of_schedule(self, name: &str) -> Self {
        Self { schedule: Some(name.to_owned()), ..self }
    }

    pub(crate) fn changing(self, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Self { before: before.into(), after: after.into(), ..self }
    }

    /// What has come of it.
    pub(crate) fn ended<T>(mut self, answer: &Result<T, impl fmt::Display>) -> Self {
        self.error = answer.as_ref().err().map(ToString::to_string);
        self
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

/// Writes a line of the log: the audit of those who have no other, and beside any other.
pub(crate) fn log(change: &Change) {
    let Change { by, action, executor, job, schedule, before, after, error } = change;
    let (executor, schedule) = (executor.as_ref().map(ToString::to_string), schedule.as_deref());
    tracing::info!(
        by,
        action,
        job.executor = executor,
        job.id = job.map(JobId::as_i64),
        schedule,
        before = %before,
        after = %after,
        error = error.as_deref(),
        "somebody has changed something in the dashboard"
    );
}
