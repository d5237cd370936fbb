//! A job on its way into a backend.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    extras::Extras,
    headers::Headers,
    id::{ExecutorName, FlowId, JobId},
    order::OnDiscard,
    task::Task,
    time::{after, in_micros},
    unique::Unique,
};

/// A job to be stored, encoded and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewJob {
    /// Whose job it is.
    pub executor: ExecutorName,
    /// The data, as JSON.
    pub data: String,
    /// The metadata, as JSON.
    pub metadata: Option<String>,
    /// How many attempts it has, at least 1.
    pub max_attempts: u16,
    /// Lower numbers start first.
    pub priority: u16,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// When it is due.
    pub due: Due,
    /// Whether it waits to be released first.
    pub blocked: bool,
    /// What it must not exist beside.
    pub unique: Option<Unique>,
    /// What few jobs have.
    pub extras: Extras,
}

impl NewJob {
    /// A job that is due now, has a single attempt, and nothing else that is special about it.
    pub fn new(executor: impl Into<ExecutorName>, data: impl Into<String>) -> Self {
        Self {
            executor: executor.into(),
            data: data.into(),
            metadata: None,
            max_attempts: 1,
            priority: 0,
            tags: Vec::new(),
            due: Due::Now,
            blocked: false,
            unique: None,
            extras: Extras::default(),
        }
    }
}

impl NewJob {
    /// How many bytes its data and metadata have, as they are encoded.
    pub fn content_bytes(&self) -> usize {
        self.data.len() + self.metadata.as_ref().map_or(0, String::len)
    }

    /// Whose job it is.
    #[must_use]
    pub fn with_executor(self, executor: impl Into<ExecutorName>) -> Self {
        Self { executor: executor.into(), ..self }
    }

    /// The data, as JSON.
    #[must_use]
    pub fn with_data(self, data: impl Into<String>) -> Self {
        Self { data: data.into(), ..self }
    }

    /// The metadata, as JSON.
    #[must_use]
    pub fn with_metadata(self, metadata: impl Into<Option<String>>) -> Self {
        Self { metadata: metadata.into(), ..self }
    }

    /// How many attempts it has, at least 1.
    #[must_use]
    pub fn with_max_attempts(self, max_attempts: u16) -> Self {
        Self { max_attempts, ..self }
    }

    /// Lower numbers start first.
    #[must_use]
    pub fn with_priority(self, priority: u16) -> Self {
        Self { priority, ..self }
    }

    /// Words to find it by.
    #[must_use]
    pub fn with_tags(self, tags: Vec<String>) -> Self {
        Self { tags, ..self }
    }

    /// When it is due.
    #[must_use]
    pub fn with_due(self, due: Due) -> Self {
        Self { due, ..self }
    }

    /// Whether it waits to be released before it can be claimed, and then for its due time.
    #[must_use]
    pub fn with_blocked(self, blocked: bool) -> Self {
        Self { blocked, ..self }
    }

    /// What it must not exist beside.
    #[must_use]
    pub fn with_unique(self, unique: impl Into<Option<Unique>>) -> Self {
        Self { unique: unique.into(), ..self }
    }

    /// What travels with it.
    #[must_use]
    pub fn with_headers(mut self, headers: Headers) -> Self {
        self.extras.set(|extra| &mut extra.headers, headers);
        self
    }

    /// What it has in common with others of its executor: the key of limits of so many a key, and of jobs that run in order.
    #[must_use]
    pub fn with_group_key(mut self, group_key: impl Into<Option<String>>) -> Self {
        self.extras.set(|extra| &mut extra.group_key, group_key.into());
        self
    }

    /// That jobs with its key run one after another, in the order of their numbers, and what becomes of those behind it when it
    /// is discarded.
    #[must_use]
    pub fn with_order(mut self, order: impl Into<Option<OnDiscard>>) -> Self {
        self.extras.set(|extra| &mut extra.order, order.into());
        self
    }

    /// How many tokens it costs of each rate that it keeps to, where its executor weighs its jobs; `None`, and 0: one.
    #[must_use]
    pub fn with_weight(mut self, weight: impl Into<Option<u32>>) -> Self {
        self.extras.set(|extra| &mut extra.weight, weight.into().filter(|weight| *weight > 1));
        self
    }

    /// The flow that it is a part of: its end counts there. It is [`Flows`](crate::backend::Flows) that adds jobs to a flow and sees to
    /// it that the flow has not ended; what is enqueued with the number of one that is over counts nowhere.
    #[must_use]
    pub fn with_flow(mut self, flow: impl Into<Option<FlowId>>) -> Self {
        self.extras.set(|extra| &mut extra.flow, flow.into());
        self
    }

    /// Its place in the workflow that it is a part of. As with the flow, it is [`Flows`](crate::backend::Flows) that adds it.
    #[must_use]
    pub fn with_task(mut self, task: impl Into<Option<Task>>) -> Self {
        self.extras.set(|extra| &mut extra.task, task.into().map(Box::new));
        self
    }

    /// What a batch had come to, whose callback it is: a [`BatchSummary`](super::BatchSummary) as JSON.
    #[must_use]
    pub fn with_summary(mut self, summary: impl Into<Option<String>>) -> Self {
        self.extras.set(|extra| &mut extra.summary, summary.into());
        self
    }

    /// After which time there is no use in it any more: it does not start then, is stopped if it runs, and is discarded with
    /// [`ErrorType::DeadlinePassed`](crate::job::ErrorType::DeadlinePassed).
    #[must_use]
    pub fn with_deadline(mut self, deadline: impl Into<Option<Deadline>>) -> Self {
        self.extras.set(|extra| &mut extra.deadline, deadline.into());
        self
    }

    /// How many jobs of its executor may wait with it; `None`: any number. Where it would be more, a backend answers with
    /// [`BackendError::of_full_queue`](crate::backend::BackendError::of_full_queue). It is not stored.
    #[must_use]
    pub fn with_max_pending(mut self, max_pending: impl Into<Option<usize>>) -> Self {
        self.extras.set(|extra| &mut extra.max_pending, max_pending.into());
        self
    }

    /// The tick of a schedule that it is for. It stays with the job through retries, rescues and reruns.
    #[must_use]
    pub fn with_tick_at(mut self, tick_at: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.extras.set(|extra| &mut extra.tick_at, tick_at.into());
        self
    }
}

/// When a job is due. The backend's clock decides, not the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Due {
    /// At once.
    Now,
    /// After a delay, which is not negative, from the moment it is stored.
    In(TimeDelta),
    /// At an instant, which may lie in the past.
    At(DateTime<Utc>),
}

impl Due {
    /// The instant, for a backend whose clock reads `now`.
    pub fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Now => now,
            Self::In(delay) => after(now, delay),
            Self::At(at) => in_micros(at),
        }
    }
}

/// After which time there is no use in a job any more. The backend's clock decides, not the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// So long after it is stored, not negative.
    In(TimeDelta),
    /// At an instant.
    At(DateTime<Utc>),
}

impl Deadline {
    /// The instant, for a backend whose clock reads `now`.
    pub fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::In(delay) => after(now, delay),
            Self::At(at) => in_micros(at),
        }
    }
}

/// What became of a job that was enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It was stored under this number.
    Inserted(JobId),
    /// This one stood in its way and was left as it is.
    Existing(JobId),
    /// This one stood in its way and took over the fields that
    /// [`Replace`](crate::job::uniqueness_criteria::Replace) names.
    Replaced(JobId),
}

impl Enqueued {
    /// The number of the job that now stands for this one.
    pub fn id(self) -> JobId {
        match self {
            Self::Inserted(id) | Self::Existing(id) | Self::Replaced(id) => id,
        }
    }

    /// Whether another job stood in its way, so that nothing was inserted.
    pub fn is_duplicate(self) -> bool {
        !matches!(self, Self::Inserted(_))
    }
}

impl From<Enqueued> for JobId {
    fn from(enqueued: Enqueued) -> Self {
        enqueued.id()
    }
}
