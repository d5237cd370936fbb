//! One run of a job: from its row to its outcome.
//!
//! # Invariants
//!
//! - Every run ends in an [`Outcome`], whatever the job does: a panic in its future, in its `timeout`, or while
//!   anything of it is dropped, is that attempt's failure and nobody else's. One in its `backoff` fails nothing.
//! - An outcome is given only when nothing of the run goes on: the future has been dropped, the thread has ended.

use std::{panic::AssertUnwindSafe, time::Duration};

use chrono::TimeDelta;
use futures::{FutureExt, future::BoxFuture};

use super::{
    deadlines::{Deadlines, Interruption, time_left},
    outcome::{End, catch, late, message, outcome},
    runner::{Begin, Begun, Work},
};
use crate::{context::JobContext, executing::ExecutionResult, model::Outcome};

/// Runs a claimed job to its end. A job that was asked to stop is dropped after the `grace`.
pub(crate) async fn attempt(begin: Begin, context: JobContext, grace: Duration) -> Outcome {
    if let Some(deadline) = context.row().deadline().filter(|_| time_left(&context) <= Some(TimeDelta::zero())) {
        return late(deadline);
    }
    let Begun { executor, work, timeout, backoff, is_kept } = match begin(context.clone()) {
        Ok(begun) => begun,
        Err(outcome) => return outcome,
    };
    // Lent to what waits, or a task would have room for it twice.
    let mut deadlines = Deadlines::new(context, timeout, grace);
    let end = match work {
        Work::OnTask(mut work) => {
            let end = on_task(executor, &mut work, &mut deadlines).await;
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
async fn on_task(
    executor: &'static str,
    work: &mut BoxFuture<'static, ExecutionResult>,
    deadlines: &mut Deadlines,
) -> End {
    let context = deadlines.context().clone();
    let polled = std::future::poll_fn(|task| match context.workers() {
        Some(workers) => workers.poll((context.job_id(), executor), || work.poll_unpin(task)),
        None => work.poll_unpin(task),
    });
    match deadlines.within(AssertUnwindSafe(polled).catch_unwind()).await {
        Ok(result) => result.map_or_else(|panic| End::Panicked(message(panic)), End::Returned),
        Err(interruption) => interruption.into(),
    }
}

/// Runs the work on a blocking thread. It cannot be dropped there: it is asked to stop, and waited for.
async fn on_thread(work: BoxFuture<'static, ExecutionResult>, deadlines: &mut Deadlines) -> End {
    let runtime = tokio::runtime::Handle::current();
    let work = move || match catch(move || runtime.block_on(work)) {
        Ok(result) => End::Returned(result),
        Err(panic) => End::Panicked(panic),
    };
    let mut thread = match deadlines.context().job_threads() {
        Some(threads) => threads.spawn(work),
        None => tokio::task::spawn_blocking(work),
    };
    match deadlines.within(&mut thread).await {
        Ok(end) => end.unwrap_or(End::Aborted),
        Err(late) => {
            deadlines.stop().end();
            let _ = thread.await;
            late.into()
        }
    }
}

impl From<Interruption> for End {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::TimedOut(after) => Self::TimedOut(after),
            Interruption::Late(deadline) => Self::Late(deadline),
            Interruption::Aborted => Self::Aborted,
        }
    }
}
