//! What a running job can see of its surroundings.

use std::{
    fmt,
    sync::{
        Arc, LazyLock, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{
    complete::Together,
    emitter::RunStream,
    environment::Environment,
    job_threads::JobThreads,
    reporter::RunReport,
    run_steps::RunSteps,
    state::StateMap,
    stop::{Stop, StopReason},
    workers::Workers,
};
use crate::{
    backend::{Backend, StepLog, lifecycle, step_log},
    clock::{Clock, SystemClock},
    model::{BackendError, Headers, JobId, JobRow, JobStatus, Lease},
};

/// What a running job can see of its surroundings: which attempt it is, whether it is to stop, the clock, and what the
/// node was given as state.
///
/// A function with `#[job]` takes it as a parameter; an [`Executor`](crate::executor::Executor) has it from
/// [`Job::context`](crate::Job::context). It is cheap to clone.
#[derive(Clone)]
pub struct JobContext(pub(super) Arc<Inner>);

/// All that there is of a run in one place: one allocation, which the job and its node share.
pub(super) struct Inner {
    pub(super) row: JobRow,
    /// `None`: the job does not run.
    pub(super) environment: Option<Arc<Environment>>,
    stop: Stop,
    /// The clock of this run alone, where there is one; looked for when the job first asks.
    own_clock: OnceLock<Option<Arc<dyn Clock>>>,
    /// What it says of itself; made when it first does.
    pub(super) said: OnceLock<Arc<RunReport>>,
    /// What it streams; made when it first does.
    pub(super) stream: OnceLock<Arc<RunStream>>,
    /// What it ends together with; made when it first asks for that.
    together: OnceLock<Box<Together>>,
    /// How many bytes of its output are kept when it is complete, and one more; 0: not even its row.
    kept: AtomicUsize,
    /// What its steps share, once it has any; a pointer, because few jobs have.
    steps: OnceLock<Box<RunSteps>>,
    /// What its middleware has given it; a pointer, because few jobs have any.
    extensions: OnceLock<Box<Mutex<StateMap>>>,
}

impl JobContext {
    pub(crate) fn new(row: JobRow, environment: Arc<Environment>) -> Self {
        Self::of(row, Some(environment))
    }

    /// The context of a job that does not run: it has no state and is never cancelled.
    pub(crate) fn detached(row: JobRow) -> Self {
        Self::of(row, None)
    }

    fn of(row: JobRow, environment: Option<Arc<Environment>>) -> Self {
        Self(Arc::new(Inner {
            row,
            environment,
            stop: Stop::default(),
            own_clock: OnceLock::new(),
            said: OnceLock::new(),
            stream: OnceLock::new(),
            together: OnceLock::new(),
            kept: AtomicUsize::new(0),
            steps: OnceLock::new(),
            extensions: OnceLock::new(),
        }))
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
        lifecycle::is_last_attempt(&self.0.row)
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

    /// The token that is cancelled when the job is to stop; [`stop_reason`](Self::stop_reason) says why.
    ///
    /// The job then has the [cancel grace](crate::node::NodeBuilder::with_cancel_grace), 5 seconds by default, to tidy up and
    /// return. After that it is dropped at its next `.await`. A blocking job cannot be dropped: it runs until it returns.
    ///
    /// What it returns after that is treated by the reason:
    ///
    /// | reason | what the job becomes |
    /// | --- | --- |
    /// | [`Cancelled`](StopReason::Cancelled) | cancelled |
    /// | [`TimedOut`](StopReason::TimedOut) | a failed attempt |
    /// | [`DeadlinePassed`](StopReason::DeadlinePassed) | discarded |
    /// | [`ShuttingDown`](StopReason::ShuttingDown), [`NodeLost`](StopReason::NodeLost) | given back, to run again from its start; the attempt does not count |
    ///
    /// A job that is being shut down can still decide otherwise: to snooze, to cancel itself, or to be discarded. A success
    /// or another error is taken for "interrupted", unless the job has never looked at its token: then nothing can have
    /// interrupted it, and what it returns counts.
    ///
    /// # Examples
    ///
    /// ```
    /// use rexecutor::prelude::*;
    ///
    /// #[job(timeout = "10m")]
    /// async fn import(pages: u32, context: JobContext) {
    ///     for page in 0..pages {
    ///         tokio::select! {
    ///             reason = context.stopped() => {
    ///                 println!("stopped at page {page}: {reason:?}");
    ///                 return;
    ///             }
    ///             () = fetch(page) => {}
    ///         }
    ///     }
    /// }
    /// # async fn fetch(_: u32) {}
    /// ```
    pub fn cancellation(&self) -> &CancellationToken {
        self.0.stop.token()
    }

    /// Why the job is to stop; `None` while it may go on.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.0.stop.heed()
    }

    /// Waits until the job is to stop, and says why. Like [`cancellation`](Self::cancellation), which says what follows.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn stopped(&self) -> StopReason {
        self.cancellation().cancelled().await;
        // A token that was cancelled when the run had ended has no reason: whatever is left of the job is to stop.
        self.stop_reason().unwrap_or(StopReason::Cancelled)
    }

    /// The clock that the engine goes by: the system's, or a test's.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        let own = self.0.own_clock.get_or_init(|| self.engine_clock().of_run((self.job_id().as_i64(), self.lease().0)));
        own.as_ref().unwrap_or_else(|| self.engine_clock())
    }

    /// The clock that the run is held to by its node.
    pub(crate) fn engine_clock(&self) -> &Arc<dyn Clock> {
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

    /// What the run's [middleware](crate::middleware) gave it of this type; `None` if it gave none.
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.0.extensions.get()?.lock().unwrap_or_else(PoisonError::into_inner).get()
    }

    pub(crate) fn add_extension<T: Clone + Send + Sync + 'static>(&self, value: T) {
        let extensions = self.0.extensions.get_or_init(Box::default);
        extensions.lock().unwrap_or_else(PoisonError::into_inner).insert(value);
    }

    /// What is kept of the job when it is complete: its row, and of its output so many bytes; `None`: nothing.
    pub(super) fn kept(&self) -> Option<usize> {
        self.0.kept.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Notes what is kept of it.
    pub(crate) fn keep(&self, kept: Option<usize>) {
        self.0.kept.store(kept.map_or(0, |most| most.saturating_add(1)), Ordering::Relaxed);
    }

    pub(super) fn together(&self) -> &Together {
        self.0.together.get_or_init(Box::default)
    }

    pub(super) fn has_together(&self) -> Option<&Together> {
        self.0.together.get().map(|together| &**together)
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

    /// What the steps of the run share.
    pub(crate) fn run_steps(&self) -> &RunSteps {
        self.0.steps.get_or_init(Box::default)
    }

    /// … if it has any.
    pub(crate) fn steps_if_any(&self) -> Option<&RunSteps> {
        self.0.steps.get().map(|steps| &**steps)
    }

    /// What the tasks before it gave, where that is not asked of the backend.
    pub(crate) fn given_upstream(&self) -> Option<&str> {
        self.0.environment.as_deref()?.given_upstream.as_deref()
    }

    /// Where the steps of the run are recorded.
    pub(crate) fn step_log(&self) -> Result<&dyn StepLog, BackendError> {
        let not_running = || BackendError::message("steps are recorded while their job runs, and this one does not");
        let environment = self.0.environment.as_deref().ok_or_else(not_running)?;
        match &environment.step_log {
            Some(own) => Ok(&**own),
            None => step_log(&*environment.backend),
        }
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
