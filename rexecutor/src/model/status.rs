//! Where a job stands.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobStatus {
    /// Waits for other jobs, or for a signal: it is released, and only then waits for its due time.
    Blocked,
    /// Waits for its due time and for a free slot.
    Scheduled,
    /// Runs on a node.
    Executing,
    /// Has failed and waits for its next attempt.
    Retryable,
    /// Has succeeded.
    Complete,
    /// Was cancelled, by somebody or by itself.
    Cancelled,
    /// Has failed for good: its attempts are used up, or its error asked for no retry.
    Discarded,
}

impl JobStatus {
    /// Every status, in the order of a job's life.
    pub const ALL: &[Self] = &[
        Self::Blocked,
        Self::Scheduled,
        Self::Executing,
        Self::Retryable,
        Self::Complete,
        Self::Cancelled,
        Self::Discarded,
    ];

    /// Whether the job is over: complete, cancelled or discarded.
    pub const fn is_finished(self) -> bool {
        match self {
            Self::Blocked | Self::Scheduled | Self::Executing | Self::Retryable => false,
            Self::Complete | Self::Cancelled | Self::Discarded => true,
        }
    }

    /// Whether the job waits to be claimed: scheduled or retryable.
    pub const fn is_pending(self) -> bool {
        match self {
            Self::Scheduled | Self::Retryable => true,
            Self::Blocked | Self::Executing | Self::Complete | Self::Cancelled | Self::Discarded => false,
        }
    }

    /// The word that is stored, logged and parsed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Scheduled => "scheduled",
            Self::Executing => "executing",
            Self::Retryable => "retryable",
            Self::Complete => "complete",
            Self::Cancelled => "cancelled",
            Self::Discarded => "discarded",
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no [`JobStatus`].
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no job status; expected blocked, scheduled, executing, retryable, complete, cancelled or discarded")]
pub struct UnknownStatus(String);

crate::debug_as_sentence!(UnknownStatus);

impl FromStr for JobStatus {
    type Err = UnknownStatus;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|status| status.as_str() == word).ok_or_else(|| UnknownStatus(word.to_owned()))
    }
}

/// A set of statuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statuses(u32);

impl Statuses {
    /// The set of these.
    pub const fn of(statuses: &[JobStatus]) -> Self {
        let mut set = 0;
        let mut i = 0;
        while i < statuses.len() {
            set |= 1 << statuses[i] as u8;
            i += 1;
        }
        Self(set)
    }

    /// Whether it has this one.
    pub const fn contains(self, status: JobStatus) -> bool {
        self.0 & (1 << status as u8) != 0
    }

    /// Those that it has, in the order of a job's life.
    pub fn iter(self) -> impl Iterator<Item = JobStatus> {
        JobStatus::ALL.iter().copied().filter(move |status| self.contains(*status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_parses_from_its_own_word() {
        for status in JobStatus::ALL.iter().copied() {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        assert!("done".parse::<JobStatus>().unwrap_err().to_string().contains("`done`"));
    }

    #[test]
    fn a_status_is_blocked_pending_executing_or_finished() {
        for status in JobStatus::ALL.iter().copied() {
            let is = |other| status == other;
            let kinds = [is(JobStatus::Blocked), status.is_pending(), is(JobStatus::Executing), status.is_finished()];
            assert_eq!(kinds.iter().filter(|kind| **kind).count(), 1, "{status}");
        }
    }

    #[test]
    fn a_set_has_what_it_was_made_of_and_nothing_else() {
        let set = Statuses::of(&[JobStatus::Discarded, JobStatus::Blocked]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [JobStatus::Blocked, JobStatus::Discarded]);
        assert_eq!(Statuses::of(JobStatus::ALL).iter().collect::<Vec<_>>(), JobStatus::ALL);
        assert_eq!(Statuses::default().iter().count(), 0);
    }
}
