//! Which jobs run, and which of them sleep on the test's clock: then they wait for that, and not for the real world.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Poll, Waker},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{JobRow, Settlement},
    clock::Clock,
};

use crate::TestClock;

/// A run: a job's number and its lease.
pub(crate) type Run = (i64, i64);

/// What a test's clock knows of the runs.
#[derive(Default)]
pub(crate) struct Runs {
    /// What was claimed and is not settled.
    going_on: BTreeSet<Run>,
    /// For how many deadlines each run sleeps.
    sleeping: BTreeMap<Run, usize>,
    /// What was waited for in vain. It is not, until something is heard of it.
    given_up: BTreeSet<Run>,
    /// How often any of this has changed.
    version: u64,
    waiting: Vec<Waker>,
}

impl Runs {
    pub(crate) fn began(&mut self, rows: &[JobRow]) {
        self.going_on.extend(rows.iter().map(|row| (row.id.as_i64(), row.lease.0)));
        self.change();
    }

    pub(crate) fn ended(&mut self, settlements: &[Settlement]) {
        for Settlement { id, lease, .. } in settlements {
            self.going_on.remove(&(id.as_i64(), lease.0));
        }
        self.change();
    }

    pub(crate) fn slept(&mut self, run: Run) {
        *self.sleeping.entry(run).or_default() += 1;
        self.given_up.remove(&run);
        self.change();
    }

    pub(crate) fn woke(&mut self, run: Run) {
        let left = self.sleeping.get_mut(&run).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            self.sleeping.remove(&run);
        }
        self.given_up.remove(&run);
        self.change();
    }

    fn is_asleep(&self, run: &Run) -> bool {
        self.sleeping.contains_key(run)
    }

    /// What goes on and does not wait for the clock, as far as it is still waited for.
    fn awake(&self) -> Vec<Run> {
        let is_awake = |run: &&Run| !self.is_asleep(run) && !self.given_up.contains(*run);
        self.going_on.iter().filter(is_awake).copied().collect()
    }

    fn change(&mut self) {
        self.version += 1;
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

impl TestClock {
    /// Waits until every job that runs has ended or sleeps on this clock, and everything else waits; at most so long, by the
    /// real clock, for each step that a job makes.
    pub(crate) async fn settle_runs(&self, patience: Option<Duration>) {
        loop {
            self.settle().await;
            let (awake, version) = self.runs(|runs| (runs.awake(), runs.version));
            if awake.is_empty() {
                return;
            }
            let too_long = async {
                match patience {
                    Some(patience) => rexecutor::clock::SystemClock.sleep(patience).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.changed(version) => {}
                () = too_long => self.runs(|runs| runs.given_up.extend(awake)),
            }
        }
    }

    /// Does the work of one run. Whenever that waits for this clock, and so does all else, the clock moves to the next deadline.
    ///
    /// Only where the test itself waits: beside it, in a task, the test moves the clock.
    pub(crate) async fn moving<T>(&self, run: Run, work: impl Future<Output = T>) -> T {
        if tokio::task::try_id().is_some() {
            return work.await;
        }
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = self.asleep(run) => self.wake_next(),
            }
        }
    }

    /// Waits until a run sleeps, and everything else waits.
    async fn asleep(&self, run: Run) {
        loop {
            self.settle().await;
            let (is_asleep, version) = self.runs(|runs| (runs.is_asleep(&run), runs.version));
            if is_asleep {
                return;
            }
            self.changed(version).await;
        }
    }

    async fn changed(&self, since: u64) {
        poll_fn(|context| {
            self.runs(|runs| {
                if runs.version != since {
                    return Poll::Ready(());
                }
                runs.waiting.push(context.waker().clone());
                Poll::Pending
            })
        })
        .await;
    }
}

/// A test's clock as one run of a job has it.
pub(crate) struct RunClock {
    clock: TestClock,
    run: Run,
}

impl RunClock {
    pub(crate) fn new(clock: TestClock, run: Run) -> Self {
        Self { clock, run }
    }
}

impl Clock for RunClock {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep_for(duration, Some(self.run))
    }

    /// Also where a job gives its clock to what runs jobs of its own.
    fn of_run(&self, run: Run) -> Option<Arc<dyn Clock>> {
        self.clock.of_run(run)
    }
}

impl fmt::Debug for RunClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clock.fmt(f)
    }
}
