//! A clock that moves only when it is told to.

use std::{
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, channel::oneshot, future::BoxFuture};
use rexecutor::clock::Clock;

use crate::{
    idle,
    runs::{Run, RunClock, Runs},
};

/// A clock that moves only when it is told to: by [`advance`](TestClock::advance), [`set`](TestClock::set) or
/// [`to_next_due`](TestClock::to_next_due).
///
/// Clones share one time. Give one to the backend and one to the node:
///
/// ```
/// use rexecutor::{Rexecutor, backend::memory::InMemoryBackend};
/// use rexecutor_testing::TestClock;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = TestClock::new();
/// let backend = InMemoryBackend::new().with_clock(clock.clone());
/// let node = Rexecutor::builder().with_backend(backend).with_clock(clock.clone()).start().await?;
/// clock.advance(rexecutor::TimeDelta::days(1)).await;
/// node.graceful_shutdown().await;
/// # Ok(())
/// # }
/// ```
///
/// Whoever sleeps is woken in the order of the deadlines, while the clock stands at each, and everything that can run
/// then runs before the clock moves on. That is certain on a current-thread runtime, as `#[tokio::test]` has it, for
/// tasks that wait for nothing but each other and this clock.
#[derive(Clone, Default)]
pub struct TestClock(Arc<Mutex<Inner>>);

struct Inner {
    /// How far it has gone, without its jumps.
    now: DateTime<Utc>,
    /// How far it has jumped.
    jumped: TimeDelta,
    sleepers: BTreeMap<(DateTime<Utc>, u64), Sleeper>,
    runs: Runs,
    last: u64,
    /// How many calls, to a backend that has threads or sockets of its own, are under way.
    calls: usize,
    /// Who waits until there are none.
    waiting: Vec<Waker>,
}

/// Somebody who sleeps, and the run of a job that it belongs to.
struct Sleeper {
    waker: oneshot::Sender<()>,
    run: Option<Run>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            now: TestClock::START,
            jumped: TimeDelta::zero(),
            sleepers: BTreeMap::new(),
            runs: Runs::default(),
            last: 0,
            calls: 0,
            waiting: Vec::new(),
        }
    }
}

/// A call that is under way. The clock stands still meanwhile.
#[derive(Debug)]
pub(crate) struct Call(TestClock);

impl Drop for Call {
    fn drop(&mut self) {
        let mut inner = self.0.inner();
        inner.calls -= 1;
        if inner.calls == 0 {
            inner.waiting.drain(..).for_each(Waker::wake);
        }
    }
}

impl TestClock {
    /// Where a new clock stands: 2030-01-01T00:00:00Z, a Tuesday.
    pub const START: DateTime<Utc> = match DateTime::from_timestamp(1_893_456_000, 0) {
        Some(start) => start,
        None => DateTime::UNIX_EPOCH,
    };

    /// A clock that stands at [`START`](Self::START).
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock that stands at `start`.
    pub fn starting_at(start: DateTime<Utc>) -> Self {
        let clock = Self::new();
        clock.inner().now = start;
        clock
    }

    /// Sets the clock forward or back, as somebody who corrects that of a machine: nobody wakes for it, and whoever sleeps sleeps on
    /// for as long as before.
    pub async fn jump(&self, by: TimeDelta) {
        self.settle().await;
        let mut inner = self.inner();
        inner.jumped = inner.jumped.checked_add(&by).unwrap_or(inner.jumped);
    }

    /// Moves forward by `by`; a negative time counts as zero.
    pub async fn advance(&self, by: TimeDelta) {
        let now = self.inner().now;
        self.go(now.checked_add_signed(by.max(TimeDelta::zero())).unwrap_or(DateTime::<Utc>::MAX_UTC)).await;
    }

    /// Moves forward to `to`. A clock that stands later already stays where it is.
    pub async fn set(&self, to: DateTime<Utc>) {
        let jumped = self.inner().jumped;
        self.go(to.checked_sub_signed(jumped).unwrap_or(to)).await;
    }

    async fn go(&self, to: DateTime<Utc>) {
        self.settle().await;
        while self.wake_first(to) {
            self.settle().await;
        }
        let mut inner = self.inner();
        inner.now = inner.now.max(to);
    }

    /// Moves forward to the first deadline that somebody sleeps for, and returns it; `None` if nobody sleeps.
    pub async fn to_next_due(&self) -> Option<DateTime<Utc>> {
        self.settle().await;
        let next = self.inner().sleepers.keys().next()?.0;
        self.go(next).await;
        Some(self.now())
    }

    /// Lets every task of a current-thread runtime run until they all wait, without moving the clock.
    pub async fn settle(&self) {
        loop {
            idle::wait().await;
            if self.inner().calls == 0 {
                return;
            }
            poll_fn(|context| {
                let mut inner = self.inner();
                if inner.calls == 0 {
                    return Poll::Ready(());
                }
                inner.waiting.push(context.waker().clone());
                Poll::Pending
            })
            .await;
        }
    }

    /// Stands still until the returned value is dropped, when it is next told to move.
    pub(crate) fn call(&self) -> Call {
        self.inner().calls += 1;
        Call(self.clone())
    }

    /// Wakes whoever sleeps for the first deadline that is not after `until`.
    pub(crate) fn wake_first(&self, until: DateTime<Utc>) -> bool {
        let mut inner = self.inner();
        let Some(entry) = inner.sleepers.first_entry().filter(|entry| entry.key().0 <= until) else { return false };
        let ((deadline, _), sleeper) = entry.remove_entry();
        inner.now = inner.now.max(deadline);
        drop(inner);
        // Whoever slept may be just about to be dropped.
        let _ = sleeper.waker.send(());
        true
    }

    /// Moves to the first deadline of all, and wakes who sleeps for it.
    pub(crate) fn wake_next(&self) {
        self.wake_first(DateTime::<Utc>::MAX_UTC);
    }

    /// The first deadline that a job sleeps for.
    pub(crate) fn next_of_jobs(&self) -> Option<DateTime<Utc>> {
        let inner = self.inner();
        let first = inner.sleepers.iter().find(|(_, sleeper)| sleeper.run.is_some());
        first.map(|((deadline, _), _)| deadline.checked_add_signed(inner.jumped).unwrap_or(*deadline))
    }

    /// What is known of the jobs that run.
    pub(crate) fn runs<T>(&self, look: impl FnOnce(&mut Runs) -> T) -> T {
        look(&mut self.inner().runs)
    }

    pub(crate) fn sleep_for(&self, duration: Duration, run: Option<Run>) -> BoxFuture<'static, ()> {
        let mut inner = self.inner();
        let wait = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        let deadline = inner.now.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC);
        if deadline <= inner.now {
            return Box::pin(tokio::task::yield_now());
        }
        inner.last += 1;
        let key = (deadline, inner.last);
        let (waker, sleeping) = oneshot::channel();
        inner.sleepers.insert(key, Sleeper { waker, run });
        run.iter().for_each(|run| inner.runs.slept(*run));
        Box::pin(Sleep { sleeping, key, run, clock: self.clone() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let inner = self.inner();
        inner.now.checked_add_signed(inner.jumped).unwrap_or(inner.now)
    }

    fn elapsed(&self) -> Duration {
        (self.inner().now - DateTime::UNIX_EPOCH).to_std().unwrap_or_default()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep_for(duration, None)
    }

    fn of_run(&self, run: Run) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(RunClock::new(self.clone(), run)))
    }
}

/// Somebody who sleeps, until it is dropped.
struct Sleep {
    sleeping: oneshot::Receiver<()>,
    key: (DateTime<Utc>, u64),
    run: Option<Run>,
    clock: TestClock,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.sleeping.poll_unpin(context).map(drop)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut inner = self.clock.inner();
        inner.sleepers.remove(&self.key);
        self.run.iter().for_each(|run| inner.runs.woke(*run));
    }
}

impl fmt::Debug for TestClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TestClock").field(&self.now()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleepers_wake_in_order_while_the_clock_stands_at_their_deadline() {
        let clock = TestClock::new();
        let (sender, receiver) = std::sync::mpsc::channel();
        for seconds in [3, 1, 2, 30] {
            let (clock, sender) = (clock.clone(), sender.clone());
            tokio::spawn(async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                sender.send((seconds, (clock.now() - TestClock::START).num_seconds())).unwrap();
            });
        }
        clock.advance(TimeDelta::seconds(10)).await;
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(clock.to_next_due().await, Some(TestClock::START + TimeDelta::seconds(30)));
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [(30, 30)]);
        assert_eq!(clock.to_next_due().await, None);
    }

    #[tokio::test]
    async fn a_clock_that_jumps_wakes_nobody_sooner_or_later() {
        let clock = TestClock::new();
        let sleeping = tokio::spawn(clock.sleep(Duration::from_secs(60)));
        clock.jump(TimeDelta::hours(-2)).await;
        clock.advance(TimeDelta::seconds(59)).await;
        clock.jump(TimeDelta::hours(5)).await;
        assert!(!sleeping.is_finished());
        assert_eq!(clock.to_next_due().await, Some(TestClock::START + TimeDelta::seconds(3 * 3_600 + 60)));
        clock.set(TestClock::START + TimeDelta::hours(4)).await;
        assert_eq!((clock.now() - TestClock::START).num_hours(), 4);
        assert!(sleeping.is_finished());
    }

    #[tokio::test]
    async fn the_clock_never_goes_back() {
        let clock = TestClock::new();
        clock.set(TestClock::START - TimeDelta::days(1)).await;
        clock.advance(TimeDelta::days(-1)).await;
        assert_eq!(clock.now(), TestClock::START);
    }
}
