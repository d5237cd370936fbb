//! A task as it stands.

use crate::model::{ExecutorName, JobId, JobStatus, RunWhen, TaskResult};

/// A task of a workflow, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskRow {
    /// Its job.
    pub job: JobId,
    /// Whose job that is; empty, once it has been deleted.
    pub executor: ExecutorName,
    /// What it is called.
    pub name: String,
    /// On which ends of its predecessors it runs.
    pub run_when: RunWhen,
    /// How its job stands; `None`: it has been deleted.
    pub status: Option<JobStatus>,
    /// Whether it was skipped, where its job is cancelled.
    pub is_skipped: bool,
    /// How it had ended when its successors were told.
    pub told: Option<TaskResult>,
    /// The jobs of its predecessors, in their order.
    pub after: Vec<JobId>,
}

impl TaskRow {
    /// A task of which nothing else is known yet.
    pub fn new(job: JobId, executor: ExecutorName, name: String) -> Self {
        Self {
            job,
            executor,
            name,
            run_when: RunWhen::default(),
            status: None,
            is_skipped: false,
            told: None,
            after: Vec::new(),
        }
    }

    /// How it has ended, if it has.
    pub fn result(&self) -> Option<TaskResult> {
        match self.status {
            None => Some(self.told.unwrap_or(TaskResult::Failed)),
            Some(status) => result_of(status, self.is_skipped),
        }
    }
}

/// How a task has ended whose job stands so.
pub const fn result_of(status: JobStatus, is_skipped: bool) -> Option<TaskResult> {
    match status {
        JobStatus::Complete => Some(TaskResult::Succeeded),
        JobStatus::Cancelled if is_skipped => Some(TaskResult::Skipped),
        JobStatus::Cancelled | JobStatus::Discarded => Some(TaskResult::Failed),
        JobStatus::Blocked | JobStatus::Scheduled | JobStatus::Executing | JobStatus::Retryable => None,
    }
}

/// A predecessor of a task that runs, and what it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamTask {
    /// What it is called.
    pub name: String,
    /// Its job.
    pub job: JobId,
    /// How it has ended; `None`: it runs again.
    pub result: Option<TaskResult>,
    /// What its job gave, as JSON, if it is complete and gave anything.
    pub output: Option<String>,
}

impl UpstreamTask {
    /// This one.
    pub fn new(name: String, job: JobId, result: Option<TaskResult>, output: Option<String>) -> Self {
        Self { name, job, result, output }
    }
}
