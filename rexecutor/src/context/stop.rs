//! How a run is stopped: it is asked to, and dropped if it does not.
//!
//! There is one [`Stop`] a run, and most jobs never look at theirs. So the token that a job sees is made when somebody
//! asks for it.
//!
//! # Invariants
//!
//! - Whoever takes the token, before or after the run was asked to stop, finds it cancelled from then on.
//! - A job that cancels its own token is asked to stop like any other.

use std::{
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures::{FutureExt, future::BoxFuture, task::AtomicWaker};
use tokio_util::sync::CancellationToken;

/// What one run is stopped by.
#[derive(Default)]
pub(crate) struct Stop {
    token: OnceLock<Token>,
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

impl Stop {
    /// The token that the job sees.
    pub(crate) fn token(&self) -> &CancellationToken {
        if self.token.get().is_none() && self.token.set(Token::Given(CancellationToken::new())).is_ok() {
            // The run must listen to it from now on.
            self.waiting.wake();
        }
        match self.token.get() {
            Some(Token::Given(token)) => token,
            Some(Token::Cancelled) | None => &CANCELLED,
        }
    }

    /// Asks the job to stop.
    pub(crate) fn ask(&self) {
        self.cancel();
        self.waiting.wake();
    }

    /// Asks the job to stop, because somebody cancelled it.
    pub(crate) fn cancel_run(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        self.ask();
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
        before.ask();
        after.ask();
        assert!(token.is_cancelled() && before.is_asked());
        assert!(after.token().is_cancelled() && after.is_asked());
        assert!(!Stop::default().token().is_cancelled(), "the others are not");
    }

    #[test]
    fn the_end_of_a_run_cancels_what_was_given() {
        let stop = Stop::default();
        let token = stop.token().clone();
        stop.end();
        assert!(token.is_cancelled() && stop.token().is_cancelled());
    }

    #[test]
    fn a_job_that_cancels_its_own_token_is_asked_to_stop() {
        let (stop, mut listening) = (Stop::default(), None);
        assert!(!is_asked(&stop, &mut listening));
        let token = stop.token().clone();
        assert!(!is_asked(&stop, &mut listening));
        token.cancel();
        assert!(is_asked(&stop, &mut listening));
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
