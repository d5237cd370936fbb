//! When a run is over though its work is not: it is out of time, or was stopped.
//!
//! Nothing here costs anything until the work has to wait: most jobs are done before.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, future::BoxFuture};

use crate::context::{JobContext, Stop};

/// Why a run is over though its work is not.
pub(super) enum Interruption {
    /// It has run for as long as it may.
    TimedOut(Duration),
    /// The job's deadline has come.
    Late(DateTime<Utc>),
    /// It was stopped.
    Aborted,
}

/// How long it was until the job's deadline when it was claimed, by the backend's clock; `None`: it has none.
pub(super) fn time_left(context: &JobContext) -> Option<TimeDelta> {
    let row = context.row();
    Some(row.deadline()? - row.attempted_at.unwrap_or(row.inserted_at))
}

/// What one run is held to.
pub(super) struct Deadlines {
    context: JobContext,
    timeout: Option<Duration>,
    /// When the job's deadline comes, by the node's clock.
    last: Option<DateTime<Utc>>,
    /// How long the job may take to stop once it was asked to.
    grace: Duration,
    /// Fires when the timeout is over, or the job's deadline comes, whichever is first.
    deadline: Option<BoxFuture<'static, ()>>,
    /// Fires when the job's token is cancelled.
    asked: Option<BoxFuture<'static, ()>>,
    /// Fires when the grace is over.
    expiry: Option<BoxFuture<'static, ()>>,
}

impl Deadlines {
    pub(super) fn new(context: JobContext, timeout: Option<Duration>, grace: Duration) -> Self {
        let after = |left| context.clock().now().checked_add_signed(left).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let last = time_left(&context).map(after);
        Self { context, timeout, last, grace, deadline: None, asked: None, expiry: None }
    }

    /// How long the work may go on from now.
    fn limit(&self) -> Option<Duration> {
        let left = |last: DateTime<Utc>| (last - self.context.clock().now()).to_std().unwrap_or_default();
        self.timeout.into_iter().chain(self.last.map(left)).min()
    }

    /// Why it may go on no longer: the job's own deadline is final, so it comes first.
    fn interruption(&self) -> Interruption {
        let is_late = self.last.is_some_and(|last| last <= self.context.clock().now());
        match (self.timeout, self.context.row().deadline()) {
            (_, Some(deadline)) if is_late => Interruption::Late(deadline),
            (timeout, _) => Interruption::TimedOut(timeout.unwrap_or_default()),
        }
    }

    pub(super) fn context(&self) -> &JobContext {
        &self.context
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
        if self.deadline.is_none() {
            self.deadline = self.limit().map(|after| self.context.clock().sleep(after));
        }
        if self.deadline.as_mut().is_some_and(|deadline| deadline.poll_unpin(task).is_ready()) {
            return Poll::Ready(self.interruption());
        }
        let stop = self.context.stop();
        if stop.is_aborted() {
            return Poll::Ready(Interruption::Aborted);
        }
        if self.expiry.is_none() && stop.poll_asked(&mut self.asked, task).is_ready() {
            self.expiry = Some(self.context.clock().sleep(self.grace));
        }
        match &mut self.expiry {
            Some(expiry) => expiry.poll_unpin(task).map(|()| Interruption::Aborted),
            None => Poll::Pending,
        }
    }
}
