//! How a run of one job ended.

use std::fmt;

use chrono::TimeDelta;
use rexecutor::{
    backend::{Failure, NewJob, Outcome},
    results::Progress,
};
use serde::de::DeserializeOwned;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Performed {
    pub(super) outcome: Outcome,
    pub(super) progress: Option<Progress>,
    pub(super) chunks: Vec<String>,
}

impl Performed {
    pub(super) fn new(outcome: Outcome) -> Self {
        Self { outcome, progress: None, chunks: Vec::new() }
    }

    /// What a node would have stored.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether it succeeded.
    pub fn is_complete(&self) -> bool {
        matches!(self.outcome, Outcome::Complete { .. })
    }

    /// The jobs that are stored [in the step](rexecutor::JobContext::enqueue_on_success) that completes it.
    pub fn enqueued(&self) -> &[NewJob] {
        self.outcome.jobs()
    }

    /// What it has said of [its progress](rexecutor::JobContext::progress) and logged, if anything.
    pub fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// What it has [streamed](rexecutor::JobContext::emit).
    pub fn chunks(&self) -> &[String] {
        &self.chunks
    }

    /// What it gave, if it succeeded and [gives](rexecutor::executor::HasOutput) something.
    ///
    /// # Panics
    ///
    /// When it gave something else than a `T`.
    #[track_caller]
    pub fn output<T: DeserializeOwned>(&self) -> Option<T> {
        let Outcome::Complete { output, .. } = &self.outcome else { return None };
        let given = output.as_deref().unwrap_or("null");
        let decoded = serde_json::from_str(given);
        Some(decoded.unwrap_or_else(|error| {
            panic!("the job gave `{given}`, which is no `{}`: {error}", std::any::type_name::<T>())
        }))
    }

    /// Whether it has come to a step that sleeps, or waits for a signal.
    pub fn is_suspended(&self) -> bool {
        matches!(self.outcome, Outcome::Suspend { .. })
    }

    /// What went wrong, if the attempt failed.
    pub fn error(&self) -> Option<&Failure> {
        match &self.outcome {
            Outcome::Retry { error, .. } | Outcome::Discard { error, .. } | Outcome::Defer { error, .. } => Some(error),
            _ => None,
        }
    }

    /// How long it waits for its next attempt, if it failed and may have one. Whether it has one is decided by its
    /// maximum when the outcome is stored.
    pub fn retry_delay(&self) -> Option<TimeDelta> {
        match &self.outcome {
            Outcome::Retry { delay, .. } => Some(*delay),
            _ => None,
        }
    }

    /// How long it snoozes, if it does.
    pub fn snooze_delay(&self) -> Option<TimeDelta> {
        match &self.outcome {
            Outcome::Snooze { delay, .. } | Outcome::Throttle { delay, .. } => Some(*delay),
            _ => None,
        }
    }

    /// Why it cancelled itself, if it did.
    pub fn cancel_reason(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Cancel { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

/// In words, as `failed with timeout: ran for longer than 30s`.
impl fmt::Display for Performed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Complete { .. } => f.write_str("completed"),
            Outcome::Retry { error, delay, .. } => {
                write!(f, "failed with `{}`: {}; it may be tried again in {delay}", error.error_type, error.details)
            }
            Outcome::Discard { error, .. } => {
                write!(f, "failed for good with `{}`: {}", error.error_type, error.details)
            }
            Outcome::Snooze { delay, .. } => write!(f, "snoozed for {delay}"),
            Outcome::Cancel { reason, is_skip: true, .. } => write!(f, "skipped itself: {reason}"),
            Outcome::Cancel { reason, .. } => write!(f, "cancelled itself: {reason}"),
            other => write!(f, "ended with {other:?}"),
        }
    }
}
