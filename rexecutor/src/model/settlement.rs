//! How runs end.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    circuit_breaker::CircuitBreaker,
    failure::{ErrorType, Failure},
    id::{FlowId, JobId, Lease},
    new_job::NewJob,
    row::JobRow,
};

/// The end of one run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settlement {
    /// The job.
    pub id: JobId,
    /// The run: stored only while the job still has this lease.
    pub lease: Lease,
    /// How it ended.
    pub outcome: Outcome,
    /// The flow of which the job is part, as far as the run knows: a hint, with which many ends of such jobs are stored together.
    pub flow: Option<FlowId>,
    /// Whether it is a task of that flow.
    pub is_task: bool,
    /// The [circuit breaker](crate::backend::breaker) of the job's executor, if the run speaks against it.
    pub breaker: Option<Box<CircuitBreaker>>,
}

impl Settlement {
    /// The end of the run that holds this lease.
    pub fn new(id: JobId, lease: Lease, outcome: Outcome) -> Self {
        Self { id, lease, outcome, flow: None, is_task: false, breaker: None }
    }

    /// … of a job that is part of the flow of this row.
    #[must_use]
    pub fn with_flow_of(self, row: &JobRow) -> Self {
        Self { flow: row.extras.flow, is_task: row.extras.task.is_some(), ..self }
    }

    /// … of a job whose executor has this circuit breaker. It is kept only with a [failure](Outcome::fault) that counts.
    #[must_use]
    pub fn with_circuit_breaker(self, breaker: Option<CircuitBreaker>) -> Self {
        let breaker = breaker.filter(|_| self.outcome.fault().is_some()).map(Box::new);
        Self { breaker, ..self }
    }
}

/// How a run ended.
///
/// Whatever it says, a job that somebody asked to cancel while it was executing ends as cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It succeeded.
    #[non_exhaustive]
    Complete {
        /// Whether the row is kept; otherwise it is deleted in the same step.
        keep: bool,
        /// What it gave, as JSON; stored with the row if that is kept.
        output: Option<String>,
        /// Jobs that are stored in the same step.
        jobs: Option<Box<[NewJob]>>,
    },
    /// It failed: due again after `delay`, or discarded if that was its last attempt.
    #[non_exhaustive]
    Retry {
        /// How long it waits, not negative.
        delay: TimeDelta,
        /// What went wrong.
        error: Failure,
    },
    /// It failed for good, whatever attempts are left.
    #[non_exhaustive]
    Discard {
        /// What went wrong.
        error: Failure,
    },
    /// It cancelled itself.
    #[non_exhaustive]
    Cancel {
        /// Why.
        reason: String,
        /// Whether it had nothing to do, and is shown as skipped.
        is_skip: bool,
    },
    /// It wants to run again after `delay`; the attempt does not count.
    #[non_exhaustive]
    Snooze {
        /// How long it waits, not negative.
        delay: TimeDelta,
    },
    /// It has learned of a quota: it wants to run again after `delay`, and no other job of its executor, or of its key, is to start
    /// before, on any node; the attempt does not count.
    #[non_exhaustive]
    Throttle {
        /// How long they wait, not negative.
        delay: TimeDelta,
        /// Whether that is so for the jobs of its key alone. A job without a key holds its executor back all the same.
        of_key: bool,
    },
    /// It did not begin, because this version of the program cannot read its data: due again after `delay`, for another
    /// version; the attempt does not count. The error is recorded once, until the job has been read.
    #[non_exhaustive]
    Defer {
        /// How long it waits, not negative.
        delay: TimeDelta,
        /// What does not decode.
        error: Failure,
    },
    /// It was told that a transaction of the application's completes it, which settles it if it is committed: then this is refused.
    /// If not, it has failed: due again after `delay`, or discarded if that was its last attempt.
    #[non_exhaustive]
    SettledInTransaction {
        /// How long it waits, not negative.
        delay: TimeDelta,
        /// What went wrong.
        error: Failure,
    },
    /// It has come to a [step](crate::steps) that is not over: it runs again at an instant, or when a signal comes; the attempt
    /// does not count.
    #[non_exhaustive]
    Suspend {
        /// When it runs again, if no signal comes before. `None`: only a signal makes it run again, and it is blocked until then.
        until: Option<DateTime<Utc>>,
        /// Whether it waits for a signal.
        for_signal: bool,
    },
    /// It was stopped without a fault of its own: due as before; the attempt does not count.
    GiveBack,
}

impl Outcome {
    /// It succeeded, and its row is kept, or deleted in the same step.
    pub const fn complete(keep: bool) -> Self {
        Self::Complete { keep, output: None, jobs: None }
    }

    /// It succeeded and gave something, which is stored with its row.
    pub fn complete_with(output: impl Into<String>) -> Self {
        Self::Complete { keep: true, output: Some(output.into()), jobs: None }
    }

    /// The same, and these jobs are stored in the step that completes it; nothing else than a success stores any.
    #[must_use]
    pub fn and_enqueue(mut self, new: Vec<NewJob>) -> Self {
        if let Self::Complete { jobs, .. } = &mut self {
            *jobs = Some(new).filter(|new| !new.is_empty()).map(Vec::into_boxed_slice);
        }
        self
    }

    /// The jobs that are stored in the step that completes it.
    pub fn jobs(&self) -> &[NewJob] {
        match self {
            Self::Complete { jobs: Some(jobs), .. } => jobs,
            _ => &[],
        }
    }

    /// It has completed itself in a transaction; if that is not committed, it has failed.
    pub const fn settled_in_transaction(delay: TimeDelta, error: Failure) -> Self {
        Self::SettledInTransaction { delay, error }
    }

    /// It failed: due again after `delay`, or discarded if that was its last attempt.
    pub const fn retry(delay: TimeDelta, error: Failure) -> Self {
        Self::Retry { delay, error }
    }

    /// It failed for good, whatever attempts are left.
    pub const fn discard(error: Failure) -> Self {
        Self::Discard { error }
    }

    /// It cancelled itself.
    pub fn cancel(reason: impl Into<String>) -> Self {
        Self::Cancel { reason: reason.into(), is_skip: false }
    }

    /// It has found that there is nothing to do.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::Cancel { reason: reason.into(), is_skip: true }
    }

    /// It wants to run again after `delay`; the attempt does not count.
    pub const fn snooze(delay: TimeDelta) -> Self {
        Self::Snooze { delay }
    }

    /// It wants to run again after `delay`, and no other job of its executor before.
    pub const fn throttle(delay: TimeDelta) -> Self {
        Self::Throttle { delay, of_key: false }
    }

    /// It wants to run again after `delay`, and no other job of its key before.
    pub const fn throttle_key(delay: TimeDelta) -> Self {
        Self::Throttle { delay, of_key: true }
    }

    /// It could not be read, and waits for another version of the program; the attempt does not count.
    pub const fn defer(delay: TimeDelta, error: Failure) -> Self {
        Self::Defer { delay, error }
    }

    /// It has come to a step that is over at an instant, or when a signal comes.
    pub const fn suspend(until: Option<DateTime<Utc>>, for_signal: bool) -> Self {
        Self::Suspend { until, for_signal }
    }

    /// The failure of an attempt that speaks against its executor: an error, a panic or a timeout, and not data that do not decode, a
    /// deadline that has passed, or a node that died.
    pub fn fault(&self) -> Option<&Failure> {
        match self {
            Self::Retry { error, .. } | Self::SettledInTransaction { error, .. } | Self::Discard { error } => {
                let is_of_the_work =
                    !matches!(error.error_type, ErrorType::Decode | ErrorType::DeadlinePassed | ErrorType::NodeLost);
                is_of_the_work.then_some(error)
            }
            _ => None,
        }
    }

    /// The word for it in logs and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Complete { .. } => "completed",
            Self::Retry { .. } => "retried",
            Self::SettledInTransaction { .. } => "settled_in_transaction",
            Self::Discard { .. } => "discarded",
            Self::Cancel { is_skip: true, .. } => "skipped",
            Self::Cancel { .. } => "cancelled",
            Self::Snooze { .. } => "snoozed",
            Self::Throttle { .. } => "throttled",
            Self::Defer { .. } => "deferred",
            Self::Suspend { .. } => "suspended",
            Self::GiveBack => "given_back",
        }
    }
}
