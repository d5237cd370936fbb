//! How a workflow stands.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    batches::BatchStatus,
    model::{FlowCounts, FlowId, JobId},
};

/// How a workflow stands. As JSON it is what a web page may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorkflowStatus {
    /// Its number.
    pub id: FlowId,
    /// What it is called.
    pub name: String,
    /// How many of its tasks stand where. Those that were skipped are among the cancelled ones, and counted beside them.
    pub counts: FlowCounts,
    /// The jobs that were discarded, by their numbers, the first 100 of them.
    pub failed: Vec<JobId>,
    /// Why it was cancelled as a whole, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<String>,
    /// What it has come to; `None`: it has not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<WorkflowEnd>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When its last task ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

/// What a workflow that has finished has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WorkflowEnd {
    /// Each task has succeeded or was skipped.
    Succeeded,
    /// A task was discarded, or cancelled by itself or by hand, also where another one undid something because of that.
    Failed,
    /// It was cancelled as a whole, and no task was discarded.
    Cancelled,
}

impl WorkflowStatus {
    pub(super) fn of(status: BatchStatus) -> Self {
        let BatchStatus { id, name, counts, failed, cancelled, created_at, finished_at } = status;
        let end = finished_at.map(|_| match &cancelled {
            _ if counts.discarded > 0 => WorkflowEnd::Failed,
            Some(_) => WorkflowEnd::Cancelled,
            None if counts.cancelled > counts.skipped => WorkflowEnd::Failed,
            None => WorkflowEnd::Succeeded,
        });
        Self { id, name, counts, failed, cancelled, end, created_at, finished_at }
    }

    /// Whether all of its tasks have ended.
    pub fn is_finished(&self) -> bool {
        self.finished_at.is_some()
    }

    /// Whether all of its tasks have ended, and each of them has succeeded or was skipped.
    pub fn has_succeeded(&self) -> bool {
        self.end == Some(WorkflowEnd::Succeeded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobStatus;

    fn end(counts: FlowCounts, cancelled: Option<&str>) -> Option<WorkflowEnd> {
        let now = DateTime::UNIX_EPOCH;
        let (name, failed) = ("order 7".to_owned(), Vec::new());
        let (cancelled, finished_at) = (cancelled.map(str::to_owned), (counts.unfinished() == 0).then_some(now));
        let status = BatchStatus { id: FlowId(7), name, counts, failed, cancelled, created_at: now, finished_at };
        let status = WorkflowStatus::of(status);
        assert_eq!(status.has_succeeded(), status.end == Some(WorkflowEnd::Succeeded));
        status.end
    }

    #[test]
    fn what_was_skipped_is_no_failure() {
        let counts = FlowCounts::default().with(JobStatus::Complete, 2);
        assert_eq!(end(counts, None), Some(WorkflowEnd::Succeeded));
        let skipped = counts.with(JobStatus::Cancelled, 2).with_skipped(2);
        assert_eq!(end(skipped, None), Some(WorkflowEnd::Succeeded));
        assert_eq!(end(skipped.with_skipped(1), None), Some(WorkflowEnd::Failed));
        assert_eq!(end(skipped, Some("enough")), Some(WorkflowEnd::Cancelled));
        let discarded = skipped.with(JobStatus::Discarded, 1);
        assert_eq!(end(discarded, None), Some(WorkflowEnd::Failed));
        assert_eq!(end(discarded, Some("the task `a` has failed")), Some(WorkflowEnd::Failed), "it failed fast");
        assert_eq!(end(counts.with(JobStatus::Executing, 1), None), None);
    }
}
