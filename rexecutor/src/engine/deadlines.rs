//! When a run is over though its work is not: it is out of time, or was told to stop.
//!
//! The job is always told first, by its token, and dropped after the grace. Nothing here costs anything until the work has
//! to wait: most jobs are done before.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use chrono::TimeDelta;
use futures::{FutureExt, future::BoxFuture};

use super::outcome::End;
use crate::context::{JobContext, Stop, StopReason, Suspension};

/// How long it was until the job's deadline when it was claimed, by the backend's clock; `None`: it has none.
pub(super) fn time_left(context: &JobContext) -> Option<TimeDelta> {
    let row = context.row();
    Some(row.deadline()? - row.attempted_at.unwrap_or(row.inserted_at))
}

/// What one run is held to.
pub(super) struct Deadlines<'a> {
    context: &'a JobContext,
    timeout: Option<Duration>,
    /// When the job's deadline comes, in the node's time that nobody can set.
    last: Option<Duration>,
    /// How long the job may take to stop once it was told to.
    grace: Duration,
    /// Fires when the timeout is over, or the job's deadline comes, whichever is first.
    deadline: Option<BoxFuture<'static, ()>>,
    /// Fires when the job's token is cancelled.
    asked: Option<BoxFuture<'static, ()>>,
    /// Fires when the grace is over.
    expiry: Option<BoxFuture<'static, ()>>,
}

impl<'a> Deadlines<'a> {
    /// The timeout begins when the work is first waited for [within](Self::within) these deadlines.
    pub(super) fn new(context: &'a JobContext, timeout: Option<Duration>, grace: Duration) -> Self {
        let after =
            |left: TimeDelta| context.engine_clock().elapsed().saturating_add(left.to_std().unwrap_or_default());
        let last = time_left(context).map(after);
        Self { context, timeout, last, grace, deadline: None, asked: None, expiry: None }
    }

    /// How long the work may go on from now.
    fn limit(&self) -> Option<Duration> {
        let left = |last: Duration| last.saturating_sub(self.context.engine_clock().elapsed());
        self.timeout.into_iter().chain(self.last.map(left)).min()
    }

    /// Why it may go on no longer: the job's own deadline is final, so it comes first.
    fn reason(&self) -> StopReason {
        match self.last.is_some_and(|last| last <= self.context.engine_clock().elapsed()) {
            true => StopReason::DeadlinePassed,
            false => StopReason::TimedOut,
        }
    }

    pub(super) fn context(&self) -> &JobContext {
        self.context
    }

    pub(super) fn stop(&self) -> &Stop {
        self.context.stop()
    }

    /// Waits for `work`; `None`: it was told to stop, and has not within the grace.
    pub(super) async fn within<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|task| match work.poll_unpin(task) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => self.poll_end(task).map(|()| None),
        })
        .await
    }

    /// Waits for `start`, which does not count towards the timeout; `None`: the run was told to stop before.
    pub(super) async fn before<T>(&mut self, start: impl Future<Output = T>) -> Option<T> {
        let mut start = pin!(start);
        poll_fn(|task| match start.poll_unpin(task) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => self.poll_asked(task).map(|()| None),
        })
        .await
    }

    fn poll_end(&mut self, task: &mut Context<'_>) -> Poll<()> {
        // Before looking, or what changes in between would wake nobody.
        self.context.stop().wake(task);
        if self.suspension().is_some() {
            return Poll::Ready(());
        }
        if let Some(expiry) = &mut self.expiry {
            // Or an abort would wake nobody.
            self.context.stop().wake(task);
            return if self.context.stop().is_aborted() { Poll::Ready(()) } else { expiry.poll_unpin(task) };
        }
        if self.poll_asked(task).is_pending() {
            if self.deadline.is_none() {
                self.deadline = self.limit().map(|after| self.context.engine_clock().sleep(after));
            }
            if self.deadline.as_mut().is_none_or(|deadline| deadline.poll_unpin(task).is_pending()) {
                return Poll::Pending;
            }
            self.context.stop().ask(self.reason());
        }
        if self.context.stop().is_aborted() {
            return Poll::Ready(());
        }
        self.expiry = Some(self.context.engine_clock().sleep(self.grace));
        // What the job does about it comes before the end of the grace, however short that is.
        task.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether the run was told to stop, or is to be dropped.
    fn poll_asked(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let stop = self.context.stop();
        // Before looking, or what changes in between would wake nobody.
        stop.wake(task);
        if stop.is_aborted() { Poll::Ready(()) } else { stop.poll_asked(&mut self.asked, task) }
    }

    /// When the run can go on, if a step of it waits.
    fn suspension(&self) -> Option<Suspension> {
        self.context.steps_if_any()?.suspension()
    }

    /// How a run has ended whose work has come to this; `None`: it was dropped.
    pub(super) fn end(&self, worked: Option<End>) -> End {
        let stop = self.context.stop();
        match (stop.reason(), worked) {
            (Some(StopReason::TimedOut), _) => End::TimedOut(self.timeout.unwrap_or_default()),
            (Some(StopReason::DeadlinePassed), _) => End::Late(self.context.row().deadline().unwrap_or_default()),
            (_, None) => self.suspension().map_or(End::Dropped, End::Suspended),
            (_, Some(End::Suspended(suspension))) => End::Suspended(suspension),
            (Some(StopReason::ShuttingDown | StopReason::NodeLost), Some(ended)) if stop.is_heeded() => match ended {
                End::Returned(result) => End::Interrupted(result),
                _ => End::Dropped,
            },
            (_, Some(end)) => end,
        }
    }
}
