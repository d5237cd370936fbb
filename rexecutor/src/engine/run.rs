//! One run of a job: from its row to its outcome.
//!
//! # Invariants
//!
//! - Every run ends in an [`Outcome`], whatever the job does: a panic in its future, in its `timeout`, or while
//!   anything of it is dropped, is that attempt's failure and nobody else's. One in its `backoff` fails nothing.
//! - An outcome is given only when nothing of the run goes on: the future has been dropped, the thread has ended.

use std::{future::poll_fn, panic::AssertUnwindSafe, task::Poll, time::Duration};

use chrono::TimeDelta;
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::oneshot;

use super::{
    deadlines::{Deadlines, time_left},
    outcome::{End, catch, late, message, outcome},
    runner::{Begin, Begun, Work},
};
use crate::{
    context::{Current, JobContext, within},
    executing::{ExecutionResult, Layers, NodeMiddleware},
    model::Outcome,
};

/// Runs a claimed job to its end, within the node's middleware. A job that was told to stop is dropped after the `grace`.
pub(crate) async fn attempt(begin: Begin, context: &JobContext, grace: Duration, node: &NodeMiddleware) -> Outcome {
    if let Some(deadline) = context.row().deadline().filter(|_| time_left(context) <= Some(TimeDelta::zero())) {
        return late(deadline);
    }
    let begun = begin(context.clone(), !node.is_empty());
    let Begun { executor, work, middleware, timeout, backoff, kept, throttles_key } = match begun {
        Ok(begun) => begun,
        Err(outcome) => return outcome,
    };
    let work = match Layers::of(node, middleware) {
        Some(layers) => work.map(|job| layers.around(context.clone(), job)),
        None => work,
    };
    context.keep(kept);
    let current = (context.job_id(), executor);
    // Lent to what waits, or a task would have room for it twice.
    let mut deadlines = Deadlines::new(context, timeout, grace);
    let end = match work {
        Work::OnTask(mut work) => {
            let worked = on_task(current, &mut work, &mut deadlines).await;
            let end = deadlines.end(worked);
            deadlines.stop().end();
            // Dropping what is left of the job is still the job's own doing.
            catch(|| drop(work)).map_or_else(End::Panicked, |()| end)
        }
        // In a box, so that the tasks of all the others have no room for it.
        Work::OnThread(work) => {
            let worked = Box::pin(on_thread(current, work, &mut deadlines)).await;
            let end = deadlines.end(worked);
            deadlines.stop().end();
            end
        }
    };
    let mut outcome = outcome(end, backoff, kept);
    if let Outcome::Throttle { of_key, .. } = &mut outcome {
        *of_key = throttles_key;
    }
    context.ended(outcome, backoff)
}

/// Runs the work on this task; `None`: it was told to stop, and has not within the grace.
async fn on_task(
    current: Current,
    work: &mut BoxFuture<'static, ExecutionResult>,
    deadlines: &mut Deadlines<'_>,
) -> Option<End> {
    let context = deadlines.context().clone();
    let polled = poll_fn(|task| {
        within(current, || match context.workers() {
            Some(workers) => workers.poll(current, || work.poll_unpin(task)),
            None => work.poll_unpin(task),
        })
    });
    let result = deadlines.within(AssertUnwindSafe(polled).catch_unwind()).await?;
    Some(result.map_or_else(|panic| End::Panicked(message(panic)), End::Returned))
}

/// Runs the work on a blocking thread; `None`: it was told to stop before it had begun.
///
/// It cannot be dropped on its thread: it is waited for, however long that takes.
async fn on_thread(
    current: Current,
    work: BoxFuture<'static, ExecutionResult>,
    deadlines: &mut Deadlines<'_>,
) -> Option<End> {
    let runtime = tokio::runtime::Handle::current();
    let work = until_suspended(deadlines.context().clone(), work);
    let (begin, mut begun) = oneshot::channel();
    let work = move || {
        // Until here it has waited for a thread: that is not the job's time. Nobody waits for one that was given back.
        begin.send(()).ok()?;
        Some(match within(current, || catch(move || runtime.block_on(work))) {
            Ok(end) => end,
            Err(panic) => End::Panicked(panic),
        })
    };
    let mut thread = match deadlines.context().job_threads() {
        Some(threads) => threads.spawn(work),
        None => tokio::task::spawn_blocking(work),
    };
    if deadlines.before(&mut begun).await.is_none() {
        begun.close();
        if begun.try_recv().is_err() {
            // It never begins. Whatever is left of it is dropped when a thread comes to it.
            thread.abort();
            return None;
        }
    } else if let Some(ended) = deadlines.within(&mut thread).await {
        return ended.ok().flatten();
    }
    thread.await.ok().flatten()
}

/// Does the work on its thread, until it is done, or one of its steps is over only later.
async fn until_suspended(context: JobContext, mut work: BoxFuture<'static, ExecutionResult>) -> End {
    poll_fn(move |task| match work.poll_unpin(task) {
        Poll::Ready(result) => Poll::Ready(End::Returned(result)),
        Poll::Pending => match context.run_steps().poll_suspension(task) {
            Some(suspension) => Poll::Ready(End::Suspended(suspension)),
            None => Poll::Pending,
        },
    })
    .await
}
