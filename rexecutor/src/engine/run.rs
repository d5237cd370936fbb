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

use super::deadlines::Deadlines;
use crate::{
    backend::{Backend, Failure, Outcome},
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

/// An [`Executor`] whose types are forgotten.
pub(crate) trait Runner: Send + Sync {
    fn name(&self) -> &'static str;
    fn type_name(&self) -> &'static str;
    fn max_attempts(&self) -> u16;
    fn max_concurrency(&self) -> Option<usize>;
    fn retention(&self) -> Retention;

    /// How its jobs begin.
    fn begin(&self) -> Begin;
}

/// Decodes a job, asks its executor about it, and gives its work; or how the run has ended already.
///
/// This is all of a run that depends on the executor's types: the rest is compiled once, and needs no box of its own.
pub(crate) type Begin = fn(JobContext) -> Result<Begun, Outcome>;

/// A run that is about to do its work.
pub(crate) struct Begun {
    work: Work,
    timeout: Option<Duration>,
    /// Asked before the job was given away; a failure uses it, so that no second decoding is needed.
    backoff: TimeDelta,
    /// Whether the row is kept when the job is complete.
    is_kept: bool,
}

/// What a run does, and where.
enum Work {
    OnTask(BoxFuture<'static, ExecutionResult>),
    OnThread(BoxFuture<'static, ExecutionResult>),
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

    fn max_attempts(&self) -> u16 {
        E::MAX_ATTEMPTS
    }

    fn max_concurrency(&self) -> Option<usize> {
        E::MAX_CONCURRENCY
    }

    fn retention(&self) -> Retention {
        E::RETENTION
    }

    fn begin(&self) -> Begin {
        begin::<E>
    }
}

fn begin<E: Executor>(context: JobContext) -> Result<Begun, Outcome> {
    let attempt = context.attempt();
    let failed = |error_type, details: &str| fail(error_type, details, DEFAULT_BACKOFF.backoff(attempt));
    let job = match catch(|| Job::<E::Data, E::Metadata>::in_context(context)) {
        Ok(Ok(job)) => job,
        // Its backoff cannot be asked without a job to ask about.
        Ok(Err(error)) => return Err(failed(ErrorType::Decode, &chain(&error))),
        Err(panic) => return Err(failed(ErrorType::Panic, &panic)),
    };
    let (timeout, backoff) =
        catch(|| (E::timeout(&job), E::backoff(&job))).map_err(|panic| failed(ErrorType::Panic, &panic))?;
    let work = match E::BLOCKING {
        // Called on the thread: what comes before its future may block, too.
        true => Ok(Work::OnThread(Box::pin(async move { E::execute(job).await }))),
        false => catch(|| Work::OnTask(E::execute(job))),
    };
    let work = work.map_err(|panic| fail(ErrorType::Panic, &panic, backoff))?;
    Ok(Begun { work, timeout, backoff, is_kept: E::RETENTION != Retention::None })
}

/// How the work of a run ended.
pub(super) enum End {
    Returned(ExecutionResult),
    Panicked(String),
    TimedOut(Duration),
    Aborted,
}

/// Runs a claimed job to its end. A job that was asked to stop is dropped after the `grace`.
pub(crate) async fn attempt(begin: Begin, context: JobContext, grace: Duration) -> Outcome {
    let Begun { work, timeout, backoff, is_kept } = match begin(context.clone()) {
        Ok(begun) => begun,
        Err(outcome) => return outcome,
    };
    // Lent to what waits, or a task would have room for it twice.
    let mut deadlines = Deadlines::new(context, timeout, grace);
    let end = match work {
        Work::OnTask(mut work) => {
            let end = on_task(&mut work, &mut deadlines).await;
            deadlines.stop().end();
            // Dropping what is left of the job is still the job's own doing.
            catch(|| drop(work)).map_or_else(End::Panicked, |()| end)
        }
        // In a box, so that the tasks of all the others have no room for it.
        Work::OnThread(work) => Box::pin(on_thread(work, &mut deadlines)).await,
    };
    outcome(end, backoff, is_kept)
}

/// Runs the work on this task, until it ends, is out of time or is aborted.
async fn on_task(work: &mut BoxFuture<'static, ExecutionResult>, deadlines: &mut Deadlines) -> End {
    match deadlines.within(AssertUnwindSafe(work).catch_unwind()).await {
        Ok(result) => result.map_or_else(|panic| End::Panicked(message(panic)), End::Returned),
        Err(end) => end,
    }
}

/// Runs the work on a blocking thread. It cannot be dropped there: it is asked to stop, and waited for.
async fn on_thread(work: BoxFuture<'static, ExecutionResult>, deadlines: &mut Deadlines) -> End {
    let runtime = tokio::runtime::Handle::current();
    let mut thread = tokio::task::spawn_blocking(move || match catch(move || runtime.block_on(work)) {
        Ok(result) => End::Returned(result),
        Err(panic) => End::Panicked(panic),
    });
    match deadlines.within(&mut thread).await {
        Ok(end) => end.unwrap_or(End::Aborted),
        Err(late) => {
            deadlines.stop().end();
            let _ = thread.await;
            late
        }
    }
}

fn outcome(end: End, backoff: TimeDelta, is_kept: bool) -> Outcome {
    match end {
        End::Returned(result) => catch(move || returned(result, backoff, is_kept))
            .unwrap_or_else(|panic| fail(ErrorType::Panic, &panic, backoff)),
        End::Panicked(panic) => fail(ErrorType::Panic, &panic, backoff),
        End::TimedOut(after) => fail(ErrorType::Timeout, &format!("ran for longer than {after:?}"), backoff),
        End::Aborted => Outcome::GiveBack,
    }
}

fn returned(result: ExecutionResult, backoff: TimeDelta, is_kept: bool) -> Outcome {
    match result {
        ExecutionResult::Done => Outcome::Complete { keep: is_kept },
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
