//! A job on its way into a backend.

use chrono::{DateTime, TimeDelta, Utc};

use crate::job::{
    ExecutorName, JobId,
    uniqueness_criteria::{Resolution, Statuses, UniqueKey},
};

/// A job to be stored, encoded and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// What it must not exist beside.
    pub unique: Option<Unique>,
}

/// When a job is due. The backend's clock decides, not the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
            Self::In(delay) => crate::backend::lifecycle::after(now, delay),
            Self::At(at) => at,
        }
    }
}

/// What a unique job must not exist beside: the encoded form of
/// [`UniquenessCriteria`](crate::job::uniqueness_criteria::UniquenessCriteria).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// Jobs conflict only if their keys are the same.
    pub key: UniqueKey,
    /// … and were enqueued less than this long ago. `None`: however long ago.
    pub within: Option<TimeDelta>,
    /// … and stand in one of these statuses.
    pub statuses: Statuses,
    /// What becomes of the job that is there.
    pub on_conflict: Resolution,
}

/// What became of a job that was enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a unique job may not have been inserted"]
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
