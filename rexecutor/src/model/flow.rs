//! Flows: jobs that belong together, and what is said of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    id::{FlowId, JobId},
    status::JobStatus,
};

/// How many jobs of a flow stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FlowCounts {
    /// Wait to be released.
    pub blocked: u64,
    /// Wait for their due time and for a free slot.
    pub scheduled: u64,
    /// Run.
    pub executing: u64,
    /// Have failed and wait for their next attempt.
    pub retryable: u64,
    /// Have succeeded, those that were not kept among them.
    pub complete: u64,
    /// Were cancelled, those that were skipped among them.
    pub cancelled: u64,
    /// Those of the cancelled ones that were skipped, which only tasks of workflows are.
    #[serde(skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// Have failed for good.
    pub discarded: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl FlowCounts {
    /// With so many that were skipped, which are counted as cancelled already.
    #[must_use]
    pub fn with_skipped(mut self, skipped: u64) -> Self {
        self.skipped = skipped;
        self
    }

    /// Adds so many jobs of a status.
    pub fn add(&mut self, status: JobStatus, jobs: u64) {
        let count = match status {
            JobStatus::Blocked => &mut self.blocked,
            JobStatus::Scheduled => &mut self.scheduled,
            JobStatus::Executing => &mut self.executing,
            JobStatus::Retryable => &mut self.retryable,
            JobStatus::Complete => &mut self.complete,
            JobStatus::Cancelled => &mut self.cancelled,
            JobStatus::Discarded => &mut self.discarded,
        };
        *count = count.saturating_add(jobs);
    }

    /// With so many more jobs of a status.
    #[must_use]
    pub fn with(mut self, status: JobStatus, jobs: u64) -> Self {
        self.add(status, jobs);
        self
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.finished().saturating_add(self.unfinished())
    }

    /// How many have ended, in whatever way.
    pub fn finished(&self) -> u64 {
        self.complete.saturating_add(self.cancelled).saturating_add(self.discarded)
    }

    /// How many have not ended.
    pub fn unfinished(&self) -> u64 {
        let waiting = self.blocked.saturating_add(self.scheduled).saturating_add(self.retryable);
        waiting.saturating_add(self.executing)
    }

    /// How much of it has ended, in percent, rounded down; 100 where there is nothing to do.
    pub fn percent(&self) -> u8 {
        let percent = (u128::from(self.finished()) * 100).checked_div(u128::from(self.total())).unwrap_or(100);
        u8::try_from(percent).unwrap_or(100)
    }
}

/// How many jobs of a batch must have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// So many, at least 1.
    Jobs(u64),
    /// So many of a hundred, 1 to 100, of the jobs that the batch has at that time.
    Percent(u8),
}

impl Threshold {
    /// Whether it is reached.
    pub fn is_reached(self, counts: &FlowCounts) -> bool {
        match self {
            Self::Jobs(jobs) => counts.finished() >= jobs,
            Self::Percent(percent) => counts.total() > 0 && counts.percent() >= percent,
        }
    }
}

/// What has happened to a batch, so that a callback was enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BatchEvent {
    /// As many jobs have ended as the callback waited for.
    Progress,
    /// A job was discarded, for the first time.
    Discarded,
    /// All jobs have ended, and all of them have succeeded.
    Succeeded,
    /// All jobs have ended, in whatever way.
    Finished,
}

/// What a batch had come to when a callback was enqueued: a callback takes it as a parameter after its data.
///
/// # Examples
///
/// ```
/// use rexecutor::{batches::BatchSummary, prelude::*};
///
/// #[job]
/// async fn report(_to: String, batch: BatchSummary) {
///     println!("{}: {} of {} succeeded", batch.name, batch.counts.complete, batch.counts.total());
///     for job in &batch.failed {
///         println!("job {job} was discarded");
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchSummary {
    /// The batch.
    pub id: FlowId,
    /// What it is called.
    pub name: String,
    /// What has happened.
    pub event: BatchEvent,
    /// How many of its jobs stood where.
    pub counts: FlowCounts,
    /// The jobs that were discarded, by their numbers, the first [`MOST_FAILED`](Self::MOST_FAILED) of them.
    pub failed: Vec<JobId>,
    /// Why the batch was cancelled as a whole, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<String>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When this happened.
    pub at: DateTime<Utc>,
}

impl BatchSummary {
    /// How many discarded jobs a summary names.
    pub const MOST_FAILED: usize = 100;

    /// A summary of a batch that nobody has stored, to test a callback with.
    pub fn new(name: impl Into<String>, event: BatchEvent, counts: FlowCounts) -> Self {
        let (created_at, at) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        Self { id: FlowId(0), name: name.into(), event, counts, failed: Vec::new(), cancelled: None, created_at, at }
    }

    /// Whether all jobs have ended and all of them have succeeded.
    pub fn is_success(&self) -> bool {
        self.counts.total() == self.counts.complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_a_threshold_is_reached_once_enough_have_ended() {
        let mut counts = FlowCounts::default();
        assert_eq!((counts.total(), counts.percent()), (0, 100));
        assert!(!Threshold::Percent(1).is_reached(&counts) && !Threshold::Jobs(1).is_reached(&counts));
        for (place, status) in JobStatus::ALL.iter().enumerate() {
            counts.add(*status, 1 << place);
        }
        assert_eq!((counts.total(), counts.unfinished(), counts.finished()), (127, 15, 112));
        assert_eq!(counts.percent(), 88);
        assert!(Threshold::Percent(88).is_reached(&counts) && !Threshold::Percent(89).is_reached(&counts));
        assert!(Threshold::Jobs(112).is_reached(&counts) && !Threshold::Jobs(113).is_reached(&counts));
    }
}
