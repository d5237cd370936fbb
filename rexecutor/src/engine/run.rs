//! One run of a job: from its row to its outcome.
//!
//! # Invariants
//!
//! - Every run ends in an [`Outcome`], whatever the job does: a panic in its future, in its `backoff` or `timeout`, or
//!   while anything of it is dropped, is that attempt's failure and nobody else's.
//! - An outcome is given only when nothing of the run goes on: the future has been dropped, the thread has ended.

use std::{
    any::Any,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use futures::{FutureExt, future::BoxFuture};
use tokio_util::sync::CancellationToken;

use crate::{
    backend::{Backend, Failure, JobRow, Outcome},
    backoff::{DEFAULT_BACKOFF, Strategy},
    clock::Clock,
    executor::{Disposition, ExecutionError, ExecutionResult, Executor, Retention},
    job::{ErrorType, Job, JobContext, validate},
    registry::StateMap,
};

/// What the runs of a node share.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) state: Arc<StateMap>,
}

/// What one run is stopped by.
#[derive(Clone)]
pub(crate) struct Run {
    /// Asks the job to stop; the job sees it in its context.
    pub(crate) cancellation: CancellationToken,
    /// Drops the job.
    pub(crate) abort: CancellationToken,
    /// How long the job may take to stop once it was asked to.
    grace: Duration,
}

impl Run {
    pub(crate) fn new(grace: Duration) -> Self {
        Self { cancellation: CancellationToken::new(), abort: CancellationToken::new(), grace }
    }

    /// Waits until the job is to be dropped, whether or not it was asked to stop before.
    async fn aborted(&self, clock: &Arc<dyn Clock>) {
        let asked = async {
            self.cancellation.cancelled().await;
            clock.sleep(self.grace).await;
        };
        tokio::select! {
            biased;
            () = self.abort.cancelled() => {}
            () = asked => {}
        }
    }
}

/// An [`Executor`] whose types are forgotten.
pub(crate) trait Runner: Send + Sync {
    fn name(&self) -> &'static str;
    fn type_name(&self) -> &'static str;
    fn max_concurrency(&self) -> Option<usize>;
    fn retention(&self) -> Retention;

    /// Runs a claimed job to its end.
    fn run(&self, row: JobRow, environment: Environment, run: Run) -> BoxFuture<'static, Outcome>;
}

/// The runner of an executor.
pub(crate) fn runner<E: Executor>() -> Box<dyn Runner> {
    Box::new(Typed(PhantomData::<fn(E)>))
}

struct Typed<E>(PhantomData<fn(E)>);

impl<E: Executor> Runner for Typed<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<E>()
    }

    fn max_concurrency(&self) -> Option<usize> {
        E::MAX_CONCURRENCY
    }

    fn retention(&self) -> Retention {
        E::RETENTION
    }

    fn run(&self, row: JobRow, environment: Environment, run: Run) -> BoxFuture<'static, Outcome> {
        Box::pin(attempt::<E>(row, environment, run))
    }
}

/// How the work of a run ended.
enum End {
    Returned(ExecutionResult),
    Panicked(String),
    TimedOut(Duration),
    Aborted,
}

async fn attempt<E: Executor>(row: JobRow, environment: Environment, run: Run) -> Outcome {
    let Environment { backend, clock, state } = environment;
    let attempt = row.attempt;
    let context = JobContext::new(row, state, clock.clone(), run.cancellation.clone(), backend);
    let job = match catch(|| Job::<E::Data, E::Metadata>::in_context(context.clone())) {
        Ok(Ok(job)) => job,
        // Its backoff cannot be asked without a job to ask about.
        Ok(Err(error)) => return fail(ErrorType::Decode, &chain(&error), DEFAULT_BACKOFF.backoff(attempt)),
        Err(panic) => return fail(ErrorType::Panic, &panic, DEFAULT_BACKOFF.backoff(attempt)),
    };
    // Asked before the job is given away; a failure uses them, so that no second decoding is needed.
    let asked = catch(|| (E::timeout(&job), E::backoff(&job)));
    let (timeout, backoff) = match asked {
        Ok(asked) => asked,
        Err(panic) => return fail(ErrorType::Panic, &panic, DEFAULT_BACKOFF.backoff(attempt)),
    };
    let work = AssertUnwindSafe(async move { E::execute(job).await });
    let end = match E::BLOCKING {
        true => on_thread(work, clock, timeout, run).await,
        false => on_task(work, clock, timeout, run).await,
    };
    outcome::<E>(end, backoff)
}

/// Runs the work on this task, and drops it when it is out of time or aborted.
async fn on_task(
    work: AssertUnwindSafe<impl Future<Output = ExecutionResult> + Send>,
    clock: Arc<dyn Clock>,
    timeout: Option<Duration>,
    run: Run,
) -> End {
    let mut work = Box::pin(work.catch_unwind());
    let end = tokio::select! {
        biased;
        result = &mut work => result.map_or_else(|panic| End::Panicked(message(panic)), End::Returned),
        after = deadline(&clock, timeout) => End::TimedOut(after),
        () = run.aborted(&clock) => End::Aborted,
    };
    run.cancellation.cancel();
    // Dropping what is left of the job is still the job's own doing.
    match catch(|| drop(work)) {
        Ok(()) => end,
        Err(panic) => End::Panicked(panic),
    }
}

/// Runs the work on a blocking thread. It cannot be dropped there: it is asked to stop, and waited for.
async fn on_thread(
    work: AssertUnwindSafe<impl Future<Output = ExecutionResult> + Send + 'static>,
    clock: Arc<dyn Clock>,
    timeout: Option<Duration>,
    run: Run,
) -> End {
    let runtime = tokio::runtime::Handle::current();
    let mut thread = tokio::task::spawn_blocking(move || match catch(move || runtime.block_on(work.0)) {
        Ok(result) => End::Returned(result),
        Err(panic) => End::Panicked(panic),
    });
    let late = tokio::select! {
        biased;
        end = &mut thread => return end.unwrap_or(End::Aborted),
        after = deadline(&clock, timeout) => End::TimedOut(after),
        () = run.aborted(&clock) => End::Aborted,
    };
    run.cancellation.cancel();
    let _ = thread.await;
    late
}

async fn deadline(clock: &Arc<dyn Clock>, timeout: Option<Duration>) -> Duration {
    match timeout {
        Some(after) => {
            clock.sleep(after).await;
            after
        }
        None => std::future::pending().await,
    }
}

fn outcome<E: Executor>(end: End, backoff: TimeDelta) -> Outcome {
    match end {
        End::Returned(result) => catch(move || returned::<E>(result, backoff))
            .unwrap_or_else(|panic| fail(ErrorType::Panic, &panic, backoff)),
        End::Panicked(panic) => fail(ErrorType::Panic, &panic, backoff),
        End::TimedOut(after) => fail(ErrorType::Timeout, &format!("ran for longer than {after:?}"), backoff),
        End::Aborted => Outcome::GiveBack,
    }
}

fn returned<E: Executor>(result: ExecutionResult, backoff: TimeDelta) -> Outcome {
    match result {
        ExecutionResult::Done => Outcome::Complete { keep: E::RETENTION != Retention::None },
        ExecutionResult::Cancel { reason } => Outcome::Cancel { reason: validate::text(&reason.to_string()) },
        ExecutionResult::Snooze { delay } => Outcome::Snooze { delay: validate::clamp(delay) },
        ExecutionResult::Error { error } => failed(&*error, backoff),
    }
}

fn failed(error: &dyn ExecutionError, backoff: TimeDelta) -> Outcome {
    let error_type = ErrorType::from(validate::text(error.error_type()));
    let details = error.to_string();
    match error.disposition() {
        Disposition::Retry => fail(error_type, &details, backoff),
        Disposition::RetryAfter(delay) => fail(error_type, &details, delay),
        Disposition::Discard => Outcome::Discard { error: Failure { error_type, details: validate::text(&details) } },
        Disposition::Cancel => Outcome::Cancel { reason: validate::text(&details) },
    }
}

fn fail(error_type: ErrorType, details: &str, delay: TimeDelta) -> Outcome {
    let error = Failure { error_type, details: validate::text(details) };
    Outcome::Retry { delay: validate::clamp(delay), error }
}

/// Calls `action`, and turns a panic into its message.
fn catch<T>(action: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(action)).map_err(message)
}

/// What a panic said. A payload may itself panic when it is dropped: that one is given up.
fn message(panic: Box<dyn Any + Send>) -> String {
    let words = match panic.downcast_ref::<&str>() {
        Some(words) => (*words).to_owned(),
        None => panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic without words".to_owned()),
    };
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(second);
    }
    words
}

/// An error with all its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
