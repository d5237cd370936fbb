//! Where the time comes from.
//!
//! # Invariants
//!
//! - Nothing in the workspace asks for the time or sleeps except through a [`Clock`]; only [`SystemClock`] touches the
//!   real one.
//! - A database backend without a clock of its own takes the database's time, so that a wrong clock on one node does no
//!   harm. Given a clock, as under test, it takes that clock's.

use std::{
    fmt::Debug,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, Utc};
use futures::future::BoxFuture;

/// A source of time that can be waited on.
pub trait Clock: Send + Sync + Debug + 'static {
    /// The present instant, to the microsecond.
    fn now(&self) -> DateTime<Utc>;

    /// How long it has been since some fixed instant, in time that always goes on and never jumps.
    ///
    /// The default is [`now`](Self::now): right for a clock that nobody sets.
    fn elapsed(&self) -> Duration {
        (self.now() - DateTime::UNIX_EPOCH).to_std().unwrap_or_default()
    }

    /// Whether this is the real time, which passes by itself and on every thread alike.
    ///
    /// A node keeps itself alive on a thread of its own then, which its jobs cannot block; on any other clock, as under
    /// test, all of it runs on one runtime, in the order that the clock gives. The default is that it is not.
    fn is_real(&self) -> bool {
        false
    }

    /// Waits until `duration` has passed on this clock.
    ///
    /// The deadline is fixed when this method is called, not when the future is first polled.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// The same clock for one run of a job, by the job's number and its lease; `None`: this one serves for all. A test's clock
    /// knows by it which jobs sleep. Not public API.
    #[doc(hidden)]
    fn of_run(&self, run: (i64, i64)) -> Option<Arc<dyn Clock>> {
        let _ = run;
        None
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> DateTime<Utc> {
        (**self).now()
    }

    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }

    fn is_real(&self) -> bool {
        (**self).is_real()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(duration)
    }

    fn of_run(&self, run: (i64, i64)) -> Option<Arc<dyn Clock>> {
        (**self).of_run(run)
    }
}

/// The operating system's clock and tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn now(&self) -> DateTime<Utc> {
        // Databases keep microseconds: an instant must not change by being stored.
        Utc::now().trunc_subsecs(6)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the monotonic clock")]
    fn elapsed(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }

    fn is_real(&self) -> bool {
        true
    }

    /// # Panics
    ///
    /// Outside a tokio runtime, or on one without timers (`enable_time`).
    #[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
