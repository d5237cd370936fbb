//! A job as a backend stores it.

use chrono::{DateTime, Utc};

use super::{
    event::Happened,
    extras::Extras,
    failure::JobError,
    id::{ExecutorName, JobId, Lease, NodeId},
    marks::Marks,
    new_job::{Deadline, NewJob},
    order::OnDiscard,
    status::JobStatus,
    unique::UniqueKey,
};

/// A job as a backend stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
    /// What sets it apart from a plain job.
    pub marks: Marks,
    /// What other unique jobs compare with.
    pub unique_key: Option<UniqueKey>,
    /// What few jobs have.
    pub extras: Extras,
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
    /// What the last transition was, for whoever stores it.
    pub happened: Happened,
}

impl JobRow {
    /// A row of which nothing else is known yet: what a backend reads into, field by field.
    pub fn empty(id: JobId, executor: ExecutorName) -> Self {
        Self {
            id,
            executor,
            status: JobStatus::Scheduled,
            data: String::new(),
            metadata: None,
            attempt: 0,
            max_attempts: 1,
            priority: 0,
            tags: Vec::new(),
            errors: Vec::new(),
            lease: Lease::default(),
            node: None,
            marks: Marks::NONE,
            unique_key: None,
            extras: Extras::default(),
            inserted_at: DateTime::UNIX_EPOCH,
            scheduled_at: DateTime::UNIX_EPOCH,
            attempted_at: None,
            completed_at: None,
            cancelled_at: None,
            discarded_at: None,
            happened: Happened::NOTHING,
        }
    }

    /// A job that has just been enqueued.
    pub fn new(id: JobId, job: NewJob, now: DateTime<Utc>) -> Self {
        let mut extras = job.extras;
        extras.set(|extra| &mut extra.max_pending, None);
        if let Some(task) = extras.task.is_some().then(|| extras.edit().task.as_mut()).flatten() {
            task.after = Vec::new();
        }
        if let Some(deadline) = extras.deadline {
            extras.set(|extra| &mut extra.deadline, Some(Deadline::At(deadline.at(now))));
        }
        let marks = if extras.flow.is_some() { Marks::MEMBER } else { Marks::NONE };
        Self {
            marks,
            status: if job.blocked { JobStatus::Blocked } else { JobStatus::Scheduled },
            data: job.data,
            metadata: job.metadata,
            max_attempts: job.max_attempts,
            priority: job.priority,
            tags: job.tags,
            unique_key: job.unique.map(|unique| unique.key),
            extras,
            inserted_at: now,
            scheduled_at: job.due.at(now),
            ..Self::empty(id, job.executor)
        }
    }

    /// After which instant it neither starts nor runs on.
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.extras.deadline.map(|deadline| deadline.at(self.inserted_at))
    }

    /// Whether the jobs of its key that were enqueued after it wait for it to be rerun, cancelled or released: it was discarded,
    /// and that [halts](OnDiscard::Halt) its line.
    pub fn halts_line(&self) -> bool {
        self.status == JobStatus::Discarded && self.extras.order == Some(OnDiscard::Halt)
    }

    /// Whether it stands in the line of its key, so that later jobs of it do not start: it is not finished, or
    /// [halts](Self::halts_line) it.
    pub fn stands_in_line(&self) -> bool {
        self.extras.order.is_some() && (!self.status.is_finished() || self.halts_line())
    }

    /// How many bytes its data and metadata have, as they are encoded.
    pub fn content_bytes(&self) -> usize {
        self.data.len() + self.metadata.as_ref().map_or(0, String::len)
    }

    /// Says when it finished; its status says how. One that has not finished has no such time.
    pub fn set_finished_at(&mut self, at: Option<DateTime<Utc>>) {
        let of = |status: JobStatus| at.filter(|_| self.status == status);
        let (completed, cancelled, discarded) =
            (of(JobStatus::Complete), of(JobStatus::Cancelled), of(JobStatus::Discarded));
        (self.completed_at, self.cancelled_at, self.discarded_at) = (completed, cancelled, discarded);
    }

    /// When it finished, if it has.
    pub fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.completed_at.or(self.cancelled_at).or(self.discarded_at)
    }
}
