//! A test of its own: a backend, a clock and a global backend that no other test sees.

mod backends;
mod drain;
mod given_steps;
mod perform;
mod performed;

use std::{
    cell::RefCell,
    fmt,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::{FutureExt, future::BoxFuture};
use rexecutor::{
    Rexecutor, TimeDelta, backend::Backend, clock::Clock, middleware::Middleware, node::NodeBuilder,
    registry::StateMap, testing::job_runner::isolate,
};

pub use self::{
    drain::{Drain, Drained, Ran},
    perform::{Perform, perform},
    performed::Performed,
};
use crate::{Faulty, TestClock, idle};

/// What a test of [`#[rexecutor_testing::test]`](macro@crate::test) works with. It is cheap to clone.
#[derive(Clone)]
pub struct Test(Arc<Inner>);

struct Inner {
    clock: TestClock,
    backend: Arc<Faulty<Arc<dyn Backend>>>,
    /// The names of the registered jobs that it runs; empty: all of them.
    jobs: &'static [&'static str],
    state: Mutex<StateMap>,
    middleware: Mutex<Vec<Arc<dyn Middleware>>>,
    /// How long a job that does not sleep on the clock is waited for, by the real clock.
    patience: Mutex<Duration>,
}

thread_local! {
    static CURRENT: RefCell<Option<Test>> = const { RefCell::new(None) };
}

impl Test {
    fn new(backend: Arc<dyn Backend>, clock: TestClock, jobs: &'static [&'static str]) -> Self {
        let backend = Arc::new(Faulty::new(backend).stopping(clock.clone()));
        Self(Arc::new(Inner {
            clock,
            backend,
            jobs,
            state: Mutex::default(),
            middleware: Mutex::default(),
            patience: Mutex::new(PATIENCE),
        }))
    }

    /// The test that runs on this thread.
    ///
    /// # Panics
    ///
    /// Outside of `#[rexecutor_testing::test]`.
    #[track_caller]
    pub fn current() -> Self {
        let current = CURRENT.with_borrow(Clone::clone);
        let Some(current) = current else {
            panic!("this is no test of rexecutor's: write `#[rexecutor_testing::test]` instead of `#[tokio::test]`")
        };
        current
    }

    pub(crate) fn find() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Its clock: that of its backend and of its nodes.
    pub fn clock(&self) -> &TestClock {
        &self.0.clock
    }

    /// Its backend, which is the global one, too. It fails when it is told to.
    pub fn backend(&self) -> &Arc<Faulty<Arc<dyn Backend>>> {
        &self.0.backend
    }

    /// Gives the jobs a value that they take as `State<T>`: those of [`perform`], of [`drain`](Self::drain) and of nodes
    /// that are made from here on.
    pub fn with_state<T: Clone + Send + Sync + 'static>(&self, state: T) -> &Self {
        self.state().insert(state);
        self
    }

    /// Surrounds runs with `middleware`, as [`NodeBuilder::with_middleware`] does: those of [`perform`], of [`drain`](Self::drain) and of nodes
    /// that are made from here on. Middleware that a job names itself surrounds it without this.
    ///
    /// ```
    /// use rexecutor::{middleware::{Extension, Next, Run}, prelude::*};
    /// use rexecutor_testing::{Test, perform};
    ///
    /// #[derive(Clone)]
    /// struct Tenant(String);
    ///
    /// async fn tenant(mut run: Run, next: Next) -> ExecutionResult {
    ///     run.add_extension(Tenant("acme".to_owned()));
    ///     next.run(run).await
    /// }
    ///
    /// #[job]
    /// async fn invoice(Extension(tenant): Extension<Tenant>) -> Result<String, String> {
    ///     Ok(format!("an invoice of {}", tenant.0))
    /// }
    ///
    /// #[rexecutor_testing::test]
    /// async fn an_invoice_has_its_tenant(test: Test) {
    ///     test.with_middleware(tenant);
    ///     assert_eq!(perform::<Invoice>(()).await.output(), Some("an invoice of acme".to_owned()));
    /// }
    /// # an_invoice_has_its_tenant();
    /// ```
    pub fn with_middleware(&self, middleware: impl Middleware) -> &Self {
        self.0.middleware.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(middleware));
        self
    }

    /// A node with the test's backend, clock, states, middleware and registered jobs, to be changed and started.
    ///
    /// It says that it lives, and looks for jobs that nothing told it of, once in a hundred years: so the clock may move
    /// by years in no time. For a test of what happens when a node dies, give it a timeout.
    pub fn node(&self) -> NodeBuilder {
        let builder = Rexecutor::from_registry().with_backend(self.0.backend.clone()).with_clock(self.0.clock.clone());
        let builder = builder.with_states(self.state().clone()).with_middlewares(self.middleware());
        let builder = builder.with_node_timeout(LONG).with_poll_interval(LONG);
        match self.0.jobs {
            [] => builder,
            jobs => builder.only_named(jobs.iter().copied()),
        }
    }

    /// Runs what is due, and what that enqueues, until nothing is due; see [`Drain`].
    pub fn drain(&self) -> Drain {
        Drain::new(self.clone())
    }

    /// Moves the clock forward, from one deadline to the next. Jobs that run at a deadline and do not sleep on the clock, because
    /// they wait for a file, a socket or another thread, are waited for before the clock moves on, and in the end.
    ///
    /// That takes real time, at most a second for each step of a job, or the
    /// [patience](Self::with_patience) of your choice: a job that waits for the test itself must not stop it for ever.
    pub async fn advance(&self, by: TimeDelta) {
        let now = self.0.clock.now();
        self.set(now.checked_add_signed(by.max(TimeDelta::zero())).unwrap_or(DateTime::<Utc>::MAX_UTC)).await;
    }

    /// Moves the clock forward to `to`, like [`advance`](Self::advance). A clock that stands later already stays where it is.
    pub async fn set(&self, to: DateTime<Utc>) {
        let clock = &self.0.clock;
        self.settle().await;
        while clock.wake_first(to) {
            self.settle().await;
        }
        clock.set(to).await;
    }

    /// Moves the clock forward to the first deadline that a running job sleeps for, and returns it; `None` if no job sleeps.
    pub async fn to_next_deadline(&self) -> Option<DateTime<Utc>> {
        self.settle().await;
        let next = self.0.clock.next_of_jobs()?;
        self.set(next).await;
        Some(next)
    }

    /// Waits, without moving the clock, until every job that runs has ended or sleeps on the clock, however long that takes. A
    /// job that waits for the test itself is waited for in vain.
    ///
    /// ```
    /// use rexecutor::prelude::*;
    /// use rexecutor_testing::{Test, assert_executed};
    ///
    /// #[job(blocking)]
    /// async fn compute(number: u64) {
    ///     std::hint::black_box((0..number).sum::<u64>());
    /// }
    ///
    /// #[rexecutor_testing::test]
    /// async fn it_is_computed(test: Test) {
    ///     let node = test.node().start().await.unwrap();
    ///     Compute::enqueue(1_000_000).await.unwrap();
    ///     test.settled().await;
    ///     assert_executed!(1 job, for_executor: Compute);
    ///     node.graceful_shutdown().await;
    /// }
    /// # it_is_computed();
    /// ```
    pub async fn settled(&self) {
        self.0.clock.settle_runs(None).await;
    }

    /// How long, by the real clock, [`advance`](Self::advance) waits for each step of a job that does not sleep on the test's
    /// clock; zero: not at all. The default is 1 second.
    pub fn with_patience(&self, patience: Duration) -> &Self {
        *self.0.patience.lock().unwrap_or_else(PoisonError::into_inner) = patience;
        self
    }

    async fn settle(&self) {
        let patience = *self.0.patience.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.clock.settle_runs(Some(patience)).await;
    }

    fn middleware(&self) -> Vec<Arc<dyn Middleware>> {
        self.0.middleware.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn state(&self) -> MutexGuard<'_, StateMap> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Longer than a job takes for a step, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(1);

/// A hundred years.
const LONG: Duration = Duration::from_secs(100 * 365 * 86_400);

impl fmt::Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Test").field("clock", &self.0.clock).field("backend", &self.0.backend).finish_non_exhaustive()
    }
}

/// Runs what is due in the current test, and what that enqueues, until nothing is due; see [`Drain`].
///
/// # Panics
///
/// Outside of `#[rexecutor_testing::test]`.
#[track_caller]
pub fn drain() -> Drain {
    Test::current().drain()
}

/// The clock of the current test.
///
/// # Panics
///
/// Outside of `#[rexecutor_testing::test]`.
#[track_caller]
pub fn clock() -> TestClock {
    Test::current().clock().clone()
}

/// What `#[rexecutor_testing::test]` writes refers to. Not public API.
#[doc(hidden)]
pub mod __private {
    pub use rexecutor::Executor;

    pub use super::backends::{Opened, memory, postgres, sqlite};
    use super::*;

    /// Runs a test.
    pub fn run<T>(
        open: impl FnOnce(TestClock) -> BoxFuture<'static, Opened>,
        jobs: &'static [&'static str],
        test: impl AsyncFnOnce(Test) -> T,
    ) -> T {
        let runtime = match idle::runtime() {
            Ok(runtime) => runtime,
            Err(error) => panic!("could not make a tokio runtime: {error}"),
        };
        idle::with_hook(|| {
            runtime.block_on(async {
                let clock = TestClock::new();
                let Opened { backend, close } = open(clock.clone()).await;
                let current = Test::new(backend, clock, jobs);
                let isolated = isolate(runtime.handle(), current.backend().clone());
                CURRENT.set(Some(current.clone()));
                let outcome = AssertUnwindSafe(test(current)).catch_unwind().await;
                CURRENT.set(None);
                drop(isolated);
                close.await;
                outcome.unwrap_or_else(|panic| resume_unwind(panic))
            })
        })
    }
}
