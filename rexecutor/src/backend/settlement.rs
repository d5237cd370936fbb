//! How runs end.

use chrono::TimeDelta;

use crate::job::{ErrorType, JobId, Lease};

/// The end of one run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The job.
    pub id: JobId,
    /// The run: stored only while the job still has this lease.
    pub lease: Lease,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a run ended.
///
/// Whatever it says, a job that somebody asked to cancel while it was executing ends as cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It succeeded.
    Complete {
        /// Whether the row is kept; otherwise it is deleted in the same step.
        keep: bool,
    },
    /// It failed: due again after `delay`, or discarded if that was its last attempt.
    Retry {
        /// How long it waits, not negative.
        delay: TimeDelta,
        /// What went wrong.
        error: Failure,
    },
    /// It failed for good, whatever attempts are left.
    Discard {
        /// What went wrong.
        error: Failure,
    },
    /// It cancelled itself.
    Cancel {
        /// Why.
        reason: String,
    },
    /// It wants to run again after `delay`; the attempt does not count.
    Snooze {
        /// How long it waits, not negative.
        delay: TimeDelta,
    },
    /// It was stopped without a fault of its own: due as before; the attempt does not count.
    GiveBack,
}

impl Outcome {
    /// The word for it in logs and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Complete { .. } => "completed",
            Self::Retry { .. } => "retried",
            Self::Discard { .. } => "discarded",
            Self::Cancel { .. } => "cancelled",
            Self::Snooze { .. } => "snoozed",
            Self::GiveBack => "given_back",
        }
    }
}

/// What went wrong in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub error_type: ErrorType,
    /// What happened, with the causes behind it.
    pub details: String,
}
