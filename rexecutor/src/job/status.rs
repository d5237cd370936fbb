//! Where a job stands.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobStatus {
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
    pub const ALL: [JobStatus; 6] =
        [Self::Scheduled, Self::Executing, Self::Retryable, Self::Complete, Self::Cancelled, Self::Discarded];

    /// Whether the job is over: complete, cancelled or discarded.
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Cancelled | Self::Discarded)
    }

    /// Whether the job waits to be claimed: scheduled or retryable.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Scheduled | Self::Retryable)
    }

    /// The word that is stored, logged and parsed.
    pub const fn as_str(self) -> &'static str {
        match self {
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no job status; expected scheduled, executing, retryable, complete, cancelled or discarded")]
pub struct UnknownStatus(String);

impl FromStr for JobStatus {
    type Err = UnknownStatus;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or_else(|| UnknownStatus(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_parses_from_its_own_word() {
        for status in JobStatus::ALL {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        assert!("done".parse::<JobStatus>().unwrap_err().to_string().contains("`done`"));
    }

    #[test]
    fn a_status_is_pending_executing_or_finished() {
        for status in JobStatus::ALL {
            let kinds = [status.is_pending(), status == JobStatus::Executing, status.is_finished()];
            assert_eq!(kinds.iter().filter(|kind| **kind).count(), 1, "{status}");
        }
    }
}
