//! How a run is stopped: it is told to, with the reason, and dropped if it does not.
//!
//! There is one [`Stop`] a run, and most jobs never look at theirs. So the token that a job sees is made when somebody
//! asks for it.
//!
//! # Invariants
//!
//! - Whoever takes the token, before or after the run was asked to stop, finds it cancelled from then on.
//! - A job that cancels its own token is asked to stop like any other.
//! - The first reason stays.

use std::{
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use futures::{FutureExt, future::BoxFuture, task::AtomicWaker};
use tokio_util::sync::CancellationToken;

/// Why a job is to stop: what [`JobContext::stop_reason`](crate::job::JobContext::stop_reason) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// Somebody cancelled the job, or the job cancelled its own token. It becomes cancelled, whatever it returns.
    Cancelled,
    /// It has run for longer than its timeout. The attempt fails, whatever it returns.
    TimedOut,
    /// Its deadline has come. It is discarded, whatever it returns.
    DeadlinePassed,
    /// Its node is shutting down, and the grace for that is over. The job is given back, and the attempt does not count.
    ShuttingDown,
    /// Its node was declared dead, because the database did not hear of it for too long. Another node may run the job
    /// already, so this run's outcome is refused.
    NodeLost,
}

impl StopReason {
    /// In the order in which they are declared.
    const ALL: [Self; 5] = [Self::Cancelled, Self::TimedOut, Self::DeadlinePassed, Self::ShuttingDown, Self::NodeLost];
}

/// What `Stop::reason` holds before there is a reason, and after a run that ended without one.
const NO_REASON: u8 = u8::MAX;

/// What one run is stopped by.
pub(crate) struct Stop {
    token: OnceLock<Token>,
    /// A place in [`StopReason::ALL`], or [`NO_REASON`].
    reason: AtomicU8,
    /// Whether the job has looked at any of this.
    is_heeded: AtomicBool,
    is_over: AtomicBool,
    /// Whether somebody cancelled the job: however it ends, it is stored as cancelled.
    is_cancelled: AtomicBool,
    is_aborted: AtomicBool,
    /// The run's task, while it waits to be stopped.
    waiting: AtomicWaker,
}

/// What the job sees of being stopped.
enum Token {
    /// It has its token.
    Given(CancellationToken),
    /// It was asked to stop before it wanted one.
    Cancelled,
}

/// What everybody is given who asks for a token too late.
static CANCELLED: LazyLock<CancellationToken> = LazyLock::new(|| {
    let token = CancellationToken::new();
    token.cancel();
    token
});

impl Default for Stop {
    fn default() -> Self {
        Self {
            token: OnceLock::new(),
            reason: AtomicU8::new(NO_REASON),
            is_heeded: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            is_cancelled: AtomicBool::new(false),
            is_aborted: AtomicBool::new(false),
            waiting: AtomicWaker::new(),
        }
    }
}

impl Stop {
    /// The token that the job sees.
    pub(crate) fn token(&self) -> &CancellationToken {
        self.is_heeded.store(true, Ordering::Relaxed);
        if self.token.get().is_none() && self.token.set(Token::Given(CancellationToken::new())).is_ok() {
            // The run must listen to it from now on.
            self.waiting.wake();
        }
        match self.token.get() {
            Some(Token::Given(token)) => token,
            Some(Token::Cancelled) | None => &CANCELLED,
        }
    }

    /// Why the job is to stop, as the job sees it.
    pub(crate) fn heed(&self) -> Option<StopReason> {
        self.is_heeded.store(true, Ordering::Relaxed);
        self.reason()
    }

    /// Why the job is to stop.
    pub(crate) fn reason(&self) -> Option<StopReason> {
        let given = StopReason::ALL.get(usize::from(self.reason.load(Ordering::Acquire))).copied();
        // Only a job that still runs can have cancelled its token itself.
        let own = || (!self.is_over.load(Ordering::Acquire) && self.is_asked()).then_some(StopReason::Cancelled);
        given.or_else(own)
    }

    /// Whether the job may have stopped because it was told to: it has looked at its token, or at the reason.
    pub(crate) fn is_heeded(&self) -> bool {
        self.is_heeded.load(Ordering::Relaxed)
    }

    /// Tells the job to stop.
    pub(crate) fn ask(&self, reason: StopReason) {
        if reason == StopReason::Cancelled {
            self.is_cancelled.store(true, Ordering::Release);
        }
        // Before the token, so that whoever is woken by that finds it.
        let _ = self.reason.compare_exchange(NO_REASON, reason as u8, Ordering::AcqRel, Ordering::Acquire);
        self.cancel();
        self.waiting.wake();
    }

    /// Whether somebody cancelled the job.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    /// Has the job dropped.
    pub(crate) fn abort(&self) {
        self.is_aborted.store(true, Ordering::Release);
        self.waiting.wake();
    }

    /// The run is over: what the job has left behind is told to stop.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.cancel();
        drop(self.waiting.take());
    }

    fn cancel(&self) {
        if self.token.set(Token::Cancelled).is_err()
            && let Some(Token::Given(token)) = self.token.get()
        {
            token.cancel();
        }
    }

    /// Has the run's task look again at what it waits for.
    pub(crate) fn rouse(&self) {
        self.waiting.wake();
    }

    /// Whether the job was asked to stop, without making a token of it.
    pub(crate) fn is_asked(&self) -> bool {
        match self.token.get() {
            Some(Token::Given(token)) => token.is_cancelled(),
            Some(Token::Cancelled) => true,
            None => false,
        }
    }

    /// Has the run's task woken when one of the others changes.
    pub(crate) fn wake(&self, context: &Context<'_>) {
        self.waiting.register(context.waker());
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.is_aborted.load(Ordering::Acquire)
    }

    /// Whether the job was asked to stop. `listening` is what the run listens with, once there is a token.
    pub(crate) fn poll_asked(
        &self,
        listening: &mut Option<BoxFuture<'static, ()>>,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        match self.token.get() {
            Some(Token::Given(token)) => {
                listening.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned())).poll_unpin(context)
            }
            Some(Token::Cancelled) => Poll::Ready(()),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::task::noop_waker_ref;

    use super::*;

    fn is_asked(stop: &Stop, listening: &mut Option<BoxFuture<'static, ()>>) -> bool {
        stop.poll_asked(listening, &mut Context::from_waker(noop_waker_ref())).is_ready()
    }

    #[test]
    fn a_token_that_is_taken_before_or_after_is_cancelled() {
        let (before, after) = (Stop::default(), Stop::default());
        let token = before.token().clone();
        assert!(!token.is_cancelled() && !before.is_asked());
        before.ask(StopReason::TimedOut);
        after.ask(StopReason::NodeLost);
        before.ask(StopReason::Cancelled);
        assert!(token.is_cancelled() && before.is_asked());
        assert_eq!((before.reason(), after.reason()), (Some(StopReason::TimedOut), Some(StopReason::NodeLost)));
        assert!(after.token().is_cancelled() && after.is_asked());
        assert!(!Stop::default().token().is_cancelled(), "the others are not");
    }

    #[test]
    fn the_end_of_a_run_cancels_what_was_given() {
        let stop = Stop::default();
        let token = stop.token().clone();
        stop.end();
        assert!(token.is_cancelled() && stop.token().is_cancelled());
        assert_eq!(stop.reason(), None, "it was not told to stop");
    }

    #[test]
    fn a_job_that_cancels_its_own_token_is_asked_to_stop() {
        let (stop, mut listening) = (Stop::default(), None);
        assert!(!is_asked(&stop, &mut listening));
        let token = stop.token().clone();
        assert!(!is_asked(&stop, &mut listening));
        token.cancel();
        assert!(is_asked(&stop, &mut listening));
        assert_eq!(stop.reason(), Some(StopReason::Cancelled));
    }

    #[tokio::test]
    async fn a_run_that_waits_is_woken_by_a_token_that_is_made_and_cancelled_later() {
        let stop = std::sync::Arc::new(Stop::default());
        let (watched, mut listening) = (stop.clone(), None);
        let run = tokio::spawn(std::future::poll_fn(move |context| {
            watched.wake(context);
            watched.poll_asked(&mut listening, context)
        }));
        tokio::task::yield_now().await;
        let token = stop.token().clone();
        tokio::task::yield_now().await;
        token.cancel();
        run.await.unwrap();
    }
}
