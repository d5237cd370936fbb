//! What is said of each run: to the log, to its span, and to the program's hooks.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::event::{Hooks, JobEvent, JobEventKind};
use crate::{
    backend::lifecycle,
    context::JobContext,
    meters,
    model::{Failure, Marks, OnDiscard, Outcome, RunEnd, after},
};

/// What is told of one run.
pub(super) struct Report {
    /// `None`: nobody asks.
    hooks: Option<Arc<Hooks>>,
    /// In the time that nobody can set: how long a run took does not depend on who sets a clock meanwhile.
    started_at: Duration,
}

impl Report {
    /// Tells that a run begins.
    pub(super) fn begin(job: &JobContext, hooks: Option<Arc<Hooks>>) -> Self {
        meters::started(job.row());
        if let Some(hooks) = &hooks {
            hooks.tell(JobEvent::new(job, JobEventKind::Started));
        }
        Self { started_at: job.engine_clock().elapsed(), hooks }
    }

    /// Tells how it has ended; returns what is counted of that, and how long it took.
    pub(super) fn end(self, job: &JobContext, outcome: &Outcome) -> (RunEnd, Duration) {
        let stored = Stored::of(job, outcome);
        stored.log(job);
        let (end, took) = (stored.end(), job.engine_clock().elapsed().saturating_sub(self.started_at));
        tracing::debug!(job.outcome = end.as_str(), "the job has ended");
        meters::ended(job.row(), end, took);
        if let Some(hooks) = &self.hooks {
            hooks.tell(JobEvent::new(job, stored.event(took)));
        }
        (end, took)
    }
}

/// What the backend makes of an outcome, as far as the node knows: a job that somebody cancelled in the last moment ends as
/// cancelled, whatever is said here.
enum Stored<'a> {
    Completed,
    Retried(&'a Failure, DateTime<Utc>),
    Discarded(&'a Failure),
    Cancelled(Option<&'a str>),
    Snoozed(DateTime<Utc>),
    Throttled(DateTime<Utc>),
    Deferred(&'a Failure, DateTime<Utc>),
    Suspended(Option<DateTime<Utc>>),
    GivenBack,
}

impl<'a> Stored<'a> {
    fn of(job: &JobContext, outcome: &'a Outcome) -> Self {
        let at = |delay| after(job.clock().now(), delay);
        match outcome {
            _ if job.stop().is_cancelled() => Self::Cancelled(None),
            Outcome::Complete { .. } | Outcome::SettledInTransaction { .. } => Self::Completed,
            Outcome::Retry { error, .. } if lifecycle::is_last_attempt(job.row()) => Self::Discarded(error),
            Outcome::Retry { error, delay } => Self::Retried(error, at(*delay)),
            Outcome::Discard { error } => Self::Discarded(error),
            Outcome::Cancel { reason, .. } => Self::Cancelled(Some(reason)),
            Outcome::Snooze { delay } => Self::Snoozed(at(*delay)),
            Outcome::Throttle { delay, .. } => Self::Throttled(at(*delay)),
            Outcome::Defer { delay, error } => Self::Deferred(error, at(*delay)),
            Outcome::Suspend { until, .. } => Self::Suspended(*until),
            Outcome::GiveBack => Self::GivenBack,
        }
    }

    fn end(&self) -> RunEnd {
        match self {
            Self::Completed => RunEnd::Completed,
            Self::Retried(..) => RunEnd::Retried,
            Self::Discarded(_) => RunEnd::Discarded,
            Self::Cancelled(_) => RunEnd::Cancelled,
            Self::Snoozed(_) => RunEnd::Snoozed,
            Self::Throttled(_) => RunEnd::Throttled,
            Self::Deferred(..) => RunEnd::Deferred,
            Self::Suspended(_) => RunEnd::Suspended,
            Self::GivenBack => RunEnd::GivenBack,
        }
    }

    /// With all fields in the line itself: the run's span is not there where only warnings are shown.
    fn log(&self, job: &JobContext) {
        match self {
            Self::Retried(error, next_attempt_at) => tracing::warn!(
                job.id = job.job_id().as_i64(),
                job.executor = job.executor(),
                job.attempt = job.attempt(),
                job.max_attempts = job.max_attempts(),
                job.error_type = error.error_type.as_str(),
                job.next_attempt_at = %next_attempt_at,
                error = error.details,
                "job failed and is tried again"
            ),
            Self::Discarded(error) => {
                tracing::error!(
                    job.id = job.job_id().as_i64(),
                    job.executor = job.executor(),
                    job.attempt = job.attempt(),
                    job.max_attempts = job.max_attempts(),
                    job.error_type = error.error_type.as_str(),
                    error = error.details,
                    "job failed and is discarded"
                );
                if job.row().extras.order == Some(OnDiscard::Halt) {
                    tracing::warn!(
                        job.id = job.job_id().as_i64(),
                        job.executor = job.executor(),
                        "the jobs behind it in its line wait until it is rerun, cancelled or released"
                    );
                }
            }
            // Only the first time: it is claimed again and again.
            Self::Deferred(error, until) if !job.row().marks.contains(Marks::UNDECODED) => tracing::warn!(
                job.id = job.job_id().as_i64(),
                job.executor = job.executor(),
                job.next_attempt_at = %until,
                error = error.details,
                "this version of the program cannot read the job, which waits for another one"
            ),
            Self::Deferred(error, until) => tracing::debug!(
                job.id = job.job_id().as_i64(),
                job.executor = job.executor(),
                job.next_attempt_at = %until,
                error = error.details,
                "the job still cannot be read"
            ),
            Self::Completed | Self::Cancelled(_) => {}
            Self::Snoozed(_) | Self::Throttled(_) | Self::Suspended(_) | Self::GivenBack => {}
        }
    }

    fn event(&self, took: Duration) -> JobEventKind<'a> {
        match *self {
            Self::Completed => JobEventKind::Completed { took },
            Self::Retried(error, next_attempt_at) => JobEventKind::Failed { error, next_attempt_at, took },
            Self::Discarded(error) => JobEventKind::Discarded { error, took },
            Self::Cancelled(reason) => JobEventKind::Cancelled { reason, took },
            Self::Snoozed(until) => JobEventKind::Snoozed { until, took },
            Self::Throttled(until) => JobEventKind::Throttled { until, took },
            Self::Deferred(error, until) => JobEventKind::Deferred { error, until, took },
            Self::Suspended(until) => JobEventKind::Suspended { until, took },
            Self::GivenBack => JobEventKind::GivenBack { took },
        }
    }
}
