//! What a running job can see of its surroundings.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{environment::Environment, job_threads::JobThreads, stop::Stop, workers::Workers};
use crate::{
    backend::Backend,
    clock::{Clock, SystemClock},
    model::{Headers, JobId, JobRow, JobStatus, Lease},
};

/// What a running job can see of its surroundings: which attempt it is, whether it is to stop, the clock, and what the
/// node was given as state.
///
/// A function with `#[job]` takes it as a parameter; an [`Executor`](crate::executor::Executor) has it from
/// [`Job::context`](crate::Job::context). It is cheap to clone.
#[derive(Clone)]
pub struct JobContext(Arc<Inner>);

/// All that there is of a run in one place: one allocation, which the job and its node share.
struct Inner {
    row: JobRow,
    /// `None`: the job does not run.
    environment: Option<Arc<Environment>>,
    stop: Stop,
}

impl JobContext {
    pub(crate) fn new(row: JobRow, environment: Arc<Environment>) -> Self {
        Self(Arc::new(Inner { row, environment: Some(environment), stop: Stop::default() }))
    }

    /// The context of a job that does not run: it has no state and is never cancelled.
    pub(crate) fn detached(row: JobRow) -> Self {
        Self(Arc::new(Inner { row, environment: None, stop: Stop::default() }))
    }

    /// The job's number.
    pub fn job_id(&self) -> JobId {
        self.0.row.id
    }

    /// The name of the job's executor.
    pub fn executor(&self) -> &str {
        self.0.row.executor.as_str()
    }

    /// Which attempt this is, counted from 1.
    pub fn attempt(&self) -> u16 {
        self.0.row.attempt
    }

    /// How often the job was claimed: a number that only rises, also where an attempt does not count. Give it to other
    /// systems as a fencing token, so that they can refuse a run that was taken over by another.
    pub fn lease(&self) -> Lease {
        self.0.row.lease
    }

    /// How many attempts the job has.
    pub fn max_attempts(&self) -> u16 {
        self.0.row.max_attempts
    }

    /// Whether a failure now would be final.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt() >= self.max_attempts()
    }

    /// The tick that a cron job is for: the instant at which its schedule was due. `None` for a job that no schedule enqueued.
    ///
    /// A retry, a rescue and a rerun are for the same tick as the first attempt. Compute from it, not from the clock, what the
    /// job is about, such as the day of a daily report.
    ///
    /// ```
    /// use rexecutor::prelude::*;
    ///
    /// #[job(cron = "0 0 1 * * *", max_attempts = 5)]
    /// async fn daily_report(context: JobContext) {
    ///     let day = context.tick().map(|tick| tick.date_naive());
    ///     println!("the report of {day:?}");
    /// }
    /// ```
    pub fn tick(&self) -> Option<DateTime<Utc>> {
        self.0.row.extras.tick_at
    }

    /// The job's tags.
    pub fn tags(&self) -> &[String] {
        &self.0.row.tags
    }

    /// What travels with the job beside its data.
    pub fn headers(&self) -> &Headers {
        &self.0.row.extras.headers
    }

    /// The job's metadata, decoded as `M`; `None` if it has none.
    ///
    /// # Errors
    ///
    /// When they do not decode as `M`.
    pub fn metadata<M: DeserializeOwned>(&self) -> Result<Option<M>, serde_json::Error> {
        self.0.row.metadata.as_deref().map(serde_json::from_str).transpose()
    }

    /// What is cancelled when the job is to stop: somebody cancelled it, it ran out of time, or its node shuts down and
    /// the grace is over. A job that has not stopped some seconds later is dropped.
    pub fn cancellation(&self) -> &CancellationToken {
        self.0.stop.token()
    }

    /// The clock that the engine goes by: the system's, or a test's.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        static SYSTEM: LazyLock<Arc<dyn Clock>> = LazyLock::new(|| Arc::new(SystemClock));
        self.0.environment.as_ref().map_or(&SYSTEM, |environment| &environment.clock)
    }

    /// The backend that the job came from, to enqueue others with; `None` for a job that does not run.
    pub fn backend(&self) -> Option<&Arc<dyn Backend>> {
        self.0.environment.as_ref().map(|environment| &environment.backend)
    }

    /// What the node was given as state of this type.
    pub fn state<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.0.environment.as_ref()?.state.get()
    }

    pub(crate) fn row(&self) -> &JobRow {
        &self.0.row
    }

    /// What the run is stopped by.
    pub(crate) fn stop(&self) -> &Stop {
        &self.0.stop
    }

    /// Where it is seen which jobs are polled, if anybody looks.
    pub(crate) fn workers(&self) -> Option<&Arc<Workers>> {
        self.0.environment.as_ref()?.workers.as_ref()
    }

    /// The threads of blocking jobs, if there are some for them alone.
    pub(crate) fn job_threads(&self) -> Option<&Arc<JobThreads>> {
        self.0.environment.as_ref()?.job_threads.as_ref()
    }

    pub(crate) fn status(&self) -> JobStatus {
        self.0.row.status
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("job_id", &self.job_id())
            .field("executor", &self.executor())
            .field("attempt", &self.attempt())
            .field("is_cancelled", &self.0.stop.is_asked())
            .finish_non_exhaustive()
    }
}
