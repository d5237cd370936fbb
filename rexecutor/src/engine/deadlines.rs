//! When a run is over though its work is not: it is out of time, or was stopped.
//!
//! Nothing here costs anything until the work has to wait: most jobs are done before.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};

use crate::context::{JobContext, Stop};

/// Why a run is over though its work is not.
pub(super) enum Interruption {
    /// It has run for as long as it may.
    TimedOut(Duration),
    /// It was stopped.
    Aborted,
}

/// What one run is held to.
pub(super) struct Deadlines {
    context: JobContext,
    timeout: Option<Duration>,
    /// How long the job may take to stop once it was asked to.
    grace: Duration,
    /// Fires when the timeout is over.
    deadline: Option<BoxFuture<'static, ()>>,
    /// Fires when the job's token is cancelled.
    asked: Option<BoxFuture<'static, ()>>,
    /// Fires when the grace is over.
    expiry: Option<BoxFuture<'static, ()>>,
}

impl Deadlines {
    pub(super) fn new(context: JobContext, timeout: Option<Duration>, grace: Duration) -> Self {
        Self { context, timeout, grace, deadline: None, asked: None, expiry: None }
    }

    pub(super) fn stop(&self) -> &Stop {
        self.context.stop()
    }

    /// Waits for `work`, or for what ends the run before.
    pub(super) async fn within<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Interruption> {
        let mut work = pin!(work);
        poll_fn(|task| match work.poll_unpin(task) {
            Poll::Ready(result) => Poll::Ready(Ok(result)),
            Poll::Pending => self.poll_end(task).map(Err),
        })
        .await
    }

    fn poll_end(&mut self, task: &mut Context<'_>) -> Poll<Interruption> {
        // Before looking, or what changes in between would wake nobody.
        self.context.stop().wake(task);
        let clock = self.context.clock();
        if let Some(after) = self.timeout
            && self.deadline.get_or_insert_with(|| clock.sleep(after)).poll_unpin(task).is_ready()
        {
            return Poll::Ready(Interruption::TimedOut(after));
        }
        let stop = self.context.stop();
        if stop.is_aborted() {
            return Poll::Ready(Interruption::Aborted);
        }
        if self.expiry.is_none() && stop.poll_asked(&mut self.asked, task).is_ready() {
            self.expiry = Some(clock.sleep(self.grace));
        }
        match &mut self.expiry {
            Some(expiry) => expiry.poll_unpin(task).map(|()| Interruption::Aborted),
            None => Poll::Pending,
        }
    }
}
