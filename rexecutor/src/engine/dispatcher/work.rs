//! The loop: all that can be done now, in one order, until nothing is left to do.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use futures::{FutureExt, future::BoxFuture};

use super::{claims::CLAIM, phase::Phase, state::Dispatcher};

impl Dispatcher {
    /// Works until it was told to shut down and all is settled.
    pub(in crate::engine) async fn run(mut self) {
        let mut has_yielded = false;
        poll_fn(|context| {
            // Each run that ends wakes the loop, which would come at once: it lets those go first that end in the same moment.
            has_yielded = !has_yielded && self.running.len() > 1;
            if has_yielded {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.poll(context)
        })
        .await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.phase != Phase::Over {
            // Once more after anything was done: what it has begun must be waited for, too.
            if !self.work(context) {
                return Poll::Pending;
            }
            self.next_phase();
        }
        Poll::Ready(())
    }

    /// Does all that can be done now; whether that was anything.
    ///
    /// Always in this order, so that two runs of one seed are alike. Nothing waits for long: jobs end no faster than
    /// claims let them begin.
    fn work(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_worked = false;
        let mut ended = Vec::new();
        while let Poll::Ready(Some(command)) = self.connections.commands.poll_recv(context) {
            self.handle(command);
            has_worked = true;
        }
        if self.ended.poll_recv_many(context, &mut ended, CLAIM).is_ready() {
            self.end(ended);
            has_worked = true;
        }
        if self.settlements.advance(context) {
            self.queues.settled(self.settlements.is_empty());
            has_worked = true;
        }
        if let Poll::Ready(reasons) = self.connections.wakeup.poll_listen(context) {
            self.woken(&reasons);
            has_worked = true;
        }
        has_worked |= fires(&mut self.pause, context);
        if fires(&mut self.held, context) {
            self.queues.held_ready(self.environment.clock.elapsed());
            has_worked = true;
        }
        if self.timer.1.poll_unpin(context).is_ready() {
            self.look_again();
            has_worked = true;
        }
        if fires(&mut self.grace, context) {
            self.phase_is_over();
            has_worked = true;
        }
        if fires(&mut self.expiry, context) {
            self.expire_waiting();
            has_worked = true;
        }
        has_worked |= self.take_claims(context);
        has_worked |= self.start_jobs();
        has_worked
    }
}

/// Whether a timer has just fired. It is taken away then.
fn fires(timer: &mut Option<BoxFuture<'static, ()>>, context: &mut Context<'_>) -> bool {
    let fires = timer.as_mut().is_some_and(|wait| wait.poll_unpin(context).is_ready());
    if fires {
        *timer = None;
    }
    fires
}
