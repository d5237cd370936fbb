//! What a node tells the program of its runs, for error reporters and metrics.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::outcome::catch;
use crate::{context::JobContext, model::Failure};

/// What happened to a job on this node: what [`on_event`](crate::node::NodeBuilder::on_event) is called with.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct JobEvent<'a> {
    /// The job: its number, executor, attempt, tags and headers.
    pub job: &'a JobContext,
    /// What happened to it.
    pub kind: JobEventKind<'a>,
}

impl<'a> JobEvent<'a> {
    pub(crate) fn new(job: &'a JobContext, kind: JobEventKind<'a>) -> Self {
        Self { job, kind }
    }
}

/// What happened to a job. Each run has a `Started` and then one of the others.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum JobEventKind<'a> {
    /// An attempt begins.
    Started,
    /// The attempt succeeded.
    #[non_exhaustive]
    Completed {
        /// How long it ran. Whoever sets a clock meanwhile changes nothing.
        took: Duration,
    },
    /// The attempt failed, timed out or panicked; the job is tried again.
    #[non_exhaustive]
    Failed {
        /// What is stored of the failure.
        error: &'a Failure,
        /// When the next attempt is due, by the node's clock.
        next_attempt_at: DateTime<Utc>,
        /// How long it ran. Whoever sets a clock meanwhile changes nothing.
        took: Duration,
    },
    /// The attempt failed, and the job is discarded: this was its last attempt, or the error asked for no other.
    #[non_exhaustive]
    Discarded {
        /// What is stored of the failure.
        error: &'a Failure,
        /// How long it ran. Whoever sets a clock meanwhile changes nothing.
        took: Duration,
    },
    /// The job cancelled itself, or it ended after somebody cancelled it.
    #[non_exhaustive]
    Cancelled {
        /// Why, if the job cancelled itself.
        reason: Option<&'a str>,
        /// How long it ran. Whoever sets a clock meanwhile changes nothing.
        took: Duration,
    },
    /// The job runs again later, and this attempt does not count.
    #[non_exhaustive]
    Snoozed {
        /// When it is due again, by the node's clock.
        until: DateTime<Utc>,
        /// How long it ran. Whoever sets a clock meanwhile changes nothing.
        took: Duration,
    },
    /// The job has learned of a quota: it and the other jobs of its executor run later, and this attempt does not count.
    #[non_exhaustive]
    Throttled {
        /// When they are due again, by the node's clock.
        until: DateTime<Utc>,
        /// How long it ran. Whoever sets a clock meanwhile changes nothing.
        took: Duration,
    },
    /// This version of the program cannot read the job's data: it waits for another version, and this attempt does not count.
    #[non_exhaustive]
    Deferred {
        /// What does not decode.
        error: &'a Failure,
        /// When it is due again, by the node's clock.
        until: DateTime<Utc>,
        /// How long it ran. Whoever sets a clock meanwhile changes nothing.
        took: Duration,
    },
    /// The job has come to a [step](crate::steps) that sleeps or waits for a signal. It gives its slot back, and this attempt does not
    /// count.
    #[non_exhaustive]
    Suspended {
        /// When it runs again, by the backend's clock, if no signal comes before. `None`: when a signal comes.
        until: Option<DateTime<Utc>>,
        /// How long it ran. Whoever sets a clock meanwhile changes nothing.
        took: Duration,
    },
    /// The node stopped the job through no fault of the job's, as in a shutdown; this attempt does not count.
    #[non_exhaustive]
    GivenBack {
        /// How long it ran. Whoever sets a clock meanwhile changes nothing.
        took: Duration,
    },
}

type Hook = Arc<dyn Fn(&JobEvent<'_>) + Send + Sync>;

/// Everything that is called with each event, in the order in which it was given.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Vec<Hook>);

impl Hooks {
    pub(crate) fn add(&mut self, hook: impl Fn(&JobEvent<'_>) + Send + Sync + 'static) {
        self.0.push(Arc::new(hook));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls each of them. One that panics keeps nobody from anything.
    pub(super) fn tell(&self, event: JobEvent<'_>) {
        for hook in &self.0 {
            if let Err(panic) = catch(|| hook(&event)) {
                tracing::error!(job.id = %event.job.job_id(), panic, "a function given to `on_event` panicked");
            }
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hooks", self.0.len())
    }
}
