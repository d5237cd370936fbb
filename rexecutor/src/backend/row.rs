//! A job as a backend stores it.

use chrono::{DateTime, Utc};

use super::new_job::{Due, NewJob};
use crate::job::{ExecutorName, JobError, JobId, JobStatus, Lease, NodeId, uniqueness_criteria::UniqueKey};

/// A job as a backend stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its number.
    pub id: JobId,
    /// Whose job it is.
    pub executor: ExecutorName,
    /// Where it stands.
    pub status: JobStatus,
    /// The data, as JSON.
    pub data: String,
    /// The metadata, as JSON.
    pub metadata: Option<String>,
    /// The attempt that runs or ran last; 0 before the first.
    pub attempt: u16,
    /// How many attempts it has.
    pub max_attempts: u16,
    /// Lower numbers start first.
    pub priority: u16,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The attempts that failed, oldest first.
    pub errors: Vec<JobError>,
    /// How often it was claimed, ever.
    pub lease: Lease,
    /// The node that runs it, while it is executing.
    pub node: Option<NodeId>,
    /// Why it is to stop, once somebody asked while it was executing; why it was cancelled, afterwards.
    pub cancel_reason: Option<String>,
    /// What other unique jobs compare with.
    pub unique_key: Option<UniqueKey>,
    /// When it was enqueued.
    pub inserted_at: DateTime<Utc>,
    /// When it is, or was, due.
    pub scheduled_at: DateTime<Utc>,
    /// When its last attempt was claimed.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it succeeded.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When it failed for good.
    pub discarded_at: Option<DateTime<Utc>>,
}

impl JobRow {
    /// A job that has just been enqueued.
    pub fn new(id: JobId, job: NewJob, now: DateTime<Utc>) -> Self {
        Self {
            id,
            executor: job.executor,
            status: JobStatus::Scheduled,
            data: job.data,
            metadata: job.metadata,
            attempt: 0,
            max_attempts: job.max_attempts,
            priority: job.priority,
            tags: job.tags,
            errors: Vec::new(),
            lease: Lease::default(),
            node: None,
            cancel_reason: None,
            unique_key: job.unique.map(|unique| unique.key),
            inserted_at: now,
            scheduled_at: Due::at(job.due, now),
            attempted_at: None,
            completed_at: None,
            cancelled_at: None,
            discarded_at: None,
        }
    }

    /// When it finished, if it has.
    pub fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.completed_at.or(self.cancelled_at).or(self.discarded_at)
    }
}
