//! The node itself.

use std::{fmt, marker::PhantomData, sync::Arc};

use super::{
    error::StartError,
    plan::Plan,
    runtime,
    shutdown::{DropGuard, Shutdown},
};
use crate::{
    backend::Backend,
    clock::SystemClock,
    context::{Environment, StateMap},
    engine::{Engine, Options},
    executing::Executor,
    global::{self, GlobalBackendIsSet},
    pruner::PrunerConfig,
    registry::{Registration, registered},
    schedule::{MissedTicks, Schedule, TimeZone},
    signals::{self, Signals},
};

/// One node: it runs the jobs of its executors from one backend, beside any number of other nodes.
///
/// [`from_registry`](Rexecutor::from_registry) sets a node up with all jobs that have `#[job]`;
/// [`new`](Rexecutor::new) with executors that are named one by one, and that run at once.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, prelude::*};
///
/// struct Hello;
///
/// #[async_trait::async_trait]
/// impl Executor for Hello {
///     type Data = String;
///     type Metadata = ();
///     const NAME: &'static str = "hello";
///
///     async fn execute(job: Job<String, ()>) -> ExecutionResult {
///         println!("hello, {}", job.data);
///         ExecutionResult::Done
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rexecutor = Rexecutor::new(InMemoryBackend::new()).with_executor::<Hello>().set_global_backend()?;
/// Hello::builder().with_data("world".to_owned()).enqueue().await?;
/// rexecutor.run_until_idle().await;
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// hello, world
/// ```
pub struct Rexecutor<Global = GlobalUnset> {
    environment: Environment,
    engine: Option<Engine>,
    plan: Plan,
    global: PhantomData<Global>,
}

/// The global backend can still be set from this node.
#[derive(Debug)]
pub struct GlobalUnset;

/// The global backend was set from this node, once and for all.
#[derive(Debug)]
pub struct GlobalSet;

impl Rexecutor {
    /// A node on this backend that runs nothing yet.
    pub fn new(backend: impl Backend) -> Self {
        let environment = Environment::new(Arc::new(backend), Arc::new(SystemClock), StateMap::default());
        Self { environment, engine: None, plan: Plan::default(), global: PhantomData }
    }

    /// Every job that has `#[job]` and is linked into this program, by name.
    pub fn registered() -> Vec<Registration> {
        registered()
    }

    /// Makes this node's backend the one that `.enqueue()` goes to.
    ///
    /// # Errors
    ///
    /// When one is set already.
    pub fn set_global_backend(self) -> Result<Rexecutor<GlobalSet>, GlobalBackendIsSet> {
        global::set(self.environment.backend.clone())?;
        let Self { environment, engine, plan, global: _ } = self;
        Ok(Rexecutor { environment, engine, plan, global: PhantomData })
    }
}

impl Rexecutor<GlobalSet> {
    pub(super) fn running(environment: Environment, engine: Engine) -> Self {
        Self { environment, engine: Some(engine), plan: Plan::default(), global: PhantomData }
    }
}

impl<Global> Rexecutor<Global> {
    /// Whether jobs that name no backend are enqueued on this node's. `false` where none is set, or another one was before
    /// the node [started](crate::node::NodeBuilder::start); a file or database that was opened twice is two backends.
    pub fn is_global_backend(&self) -> bool {
        global::is(&*self.environment.backend)
    }

    /// Runs the jobs of this executor from now on. Adding it twice changes nothing.
    ///
    /// What is wrong with it (a name that is empty, too long or another executor's, a limit of zero) is logged, and it
    /// does not run. [`Rexecutor::builder`] returns such things as errors.
    ///
    /// On a tokio runtime without timers nothing is run, and the log says so.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn with_executor<E: Executor>(self) -> Self {
        self.extend(|plan| plan.add::<E>())
    }

    /// Runs the jobs of this executor, and enqueues one with `data` whenever `schedule` ticks, in UTC.
    ///
    /// On a tokio runtime without timers nothing is run, and the log says so.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn with_cron_executor<E: Executor>(self, schedule: cron::Schedule, data: E::Data) -> Self {
        self.with_cron_executor_for_timezone::<E, _>(schedule, data, TimeZone::UTC)
    }

    /// Runs the jobs of this executor, and enqueues one with `data` whenever `schedule` ticks in `timezone`: a
    /// [`TimeZone`], a `chrono_tz::Tz`, or `chrono::Local` for the zone of this machine, which should be that of all nodes.
    ///
    /// On a tokio runtime without timers nothing is run, and the log says so.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn with_cron_executor_for_timezone<E: Executor, Z: Into<TimeZone>>(
        self,
        schedule: cron::Schedule,
        data: E::Data,
        timezone: Z,
    ) -> Self {
        self.with_schedule::<E>(Schedule::new(schedule, timezone), data)
    }

    /// Runs the jobs of this executor, and enqueues one with `data` at each tick of `schedule`.
    ///
    /// On a tokio runtime without timers nothing is run, and the log says so.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn with_schedule<E: Executor>(self, schedule: Schedule, data: E::Data) -> Self {
        self.extend(|plan| plan.add_cron::<E>(schedule, data, MissedTicks::default()))
    }

    /// Deletes finished jobs whenever the configuration's schedule ticks.
    ///
    /// On a tokio runtime without timers nothing is run, and the log says so.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn with_job_pruner(self, config: PrunerConfig) -> Self {
        self.extend(|plan| plan.add_pruner(config))
    }

    /// Adds to what the node runs, and starts what is new.
    fn extend(mut self, add: impl FnOnce(&mut Plan)) -> Self {
        let known: Vec<_> = self.plan.runners.keys().copied().collect();
        add(&mut self.plan);
        self.plan.check_capabilities(&*self.environment.backend);
        let problems = std::mem::take(&mut self.plan.problems);
        let timetables = std::mem::take(&mut self.plan.timetables);
        for problem in &problems {
            tracing::error!(problem, "an executor, a schedule or a pruner is not run");
        }
        // Outside any runtime, starting the engine panics; here is one that the engine could not work on.
        if tokio::runtime::Handle::try_current().is_ok() && !runtime::has_timer() {
            tracing::error!(error = &StartError::NoRuntime as &dyn std::error::Error, "this node runs nothing");
            return self;
        }
        signals::stand();
        let engine = self.engine.get_or_insert_with(|| Engine::start(self.environment.clone(), Options::default()));
        let new = self.plan.runners.iter().filter(|(name, _)| problems.is_empty() && !known.contains(name));
        new.for_each(|(_, runner)| engine.add(*runner));
        self.plan.runners.retain(|name, _| problems.is_empty() || known.contains(name));
        if problems.is_empty() && !timetables.is_empty() {
            engine.follow(timetables);
        }
        self
    }

    /// Stops claiming jobs at once, lets the running ones end, stores how they ended, and leaves.
    ///
    /// Whoever wants to know when that is done waits on the answer. What still runs after the
    /// [shutdown grace](super::NodeBuilder::with_shutdown_grace), 20 seconds by default, is
    /// [told to stop](crate::JobContext::cancellation), and after the
    /// [cancel grace](super::NodeBuilder::with_cancel_grace), 5 seconds by default, it is dropped and given back; that attempt
    /// does not count. A database that is away then is waited for as long as the shutdown grace lasts, at least 2 seconds;
    /// the log says how many outcomes could not be stored.
    ///
    /// A blocking job cannot be dropped. The answer waits until its thread has ended, however long that takes, while the node
    /// goes on saying that it lives: nobody else runs the job meanwhile. A program that does not want to wait ends itself with
    /// [`std::process::exit`]; one that works until a signal comes uses [`run_until_signal`](Self::run_until_signal), which
    /// does so.
    ///
    /// The answer comes, too, when the runtime that the node was started on is dropped: then its jobs are, and other nodes find
    /// it dead after its [timeout](super::NodeBuilder::with_node_timeout).
    ///
    /// # Cancel safety
    ///
    /// Dropping the answer leaves the node shutting down in the background.
    pub fn graceful_shutdown(&self) -> Shutdown {
        Shutdown::begin(self.engine.clone())
    }

    /// Shuts the node down when the guard is dropped.
    pub fn drop_guard(self) -> DropGuard {
        DropGuard(self.engine)
    }

    /// Runs every job of this node's that is due, and every one that those enqueue for now, then leaves: for scripts,
    /// examples and tests.
    ///
    /// Jobs that are due later stay: those that are scheduled, and failed ones that wait for their next attempt. Jobs that
    /// other nodes run are not waited for. Where jobs keep enqueuing jobs, or the backend is away, it does not end.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the node running: it still leaves once it is idle.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use rexecutor::{backend::memory::InMemoryBackend, prelude::*};
    ///
    /// #[job]
    /// async fn count_down(from: u32) {
    ///     println!("{from}");
    ///     if from > 1 {
    ///         let _ = CountDown::enqueue(from - 1).await;
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
    /// CountDown::enqueue(3).await?;
    /// node.run_until_idle().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// ```text
    /// 3
    /// 2
    /// 1
    /// ```
    pub async fn run_until_idle(self) {
        if let Some(engine) = &self.engine {
            engine.shut_down_when_idle();
            engine.left().await;
        }
    }

    /// Works until the process gets SIGINT or SIGTERM, then shuts down. For a process that does nothing else: it ends, whatever
    /// its jobs do.
    ///
    /// | signal | what happens |
    /// | --- | --- |
    /// | first | No more jobs are claimed, and those that run may end, within the [shutdown grace](super::NodeBuilder::with_shutdown_grace), 20 seconds by default. Then they are [told to stop](crate::JobContext::cancellation), and dropped after the [cancel grace](super::NodeBuilder::with_cancel_grace), 5 seconds by default. How they ended is stored, the others are given back without counting the attempt, and the node leaves. |
    /// | second | All of that at once: jobs are dropped, what can be stored in 2 seconds is stored. |
    /// | third | The process ends immediately. Jobs that ran are rescued by other nodes, and the attempt counts. |
    ///
    /// A blocking job that is still running then cannot be dropped. It is given back for 2 seconds later, and **the process
    /// ends** (with 128 and the number of the signal, as 143 for SIGTERM), so that no other node runs the job beside it.
    /// What stands after this call is not reached in that case. A program that must not end so calls
    /// [`graceful_shutdown`](Self::graceful_shutdown), which waits for such jobs.
    ///
    /// With the default graces all of that takes less than 30 seconds, the time that Kubernetes gives a container. As process 1
    /// of a container, a program hears signals from its first call of a database backend's `connect` on; until a node is
    /// started, they end it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the node as it is.
    pub async fn run_until_signal(self) {
        let mut signals = Signals::listen();
        signals.heard(1).await;
        let Some(engine) = &self.engine else { return };
        engine.shut_down();
        tokio::select! {
            biased;
            () = engine.left() => return,
            () = engine.blocked() => {}
            () = signals.heard(2) => tracing::warn!("a second signal: the node does not wait for its jobs any longer"),
        }
        engine.end_with_process();
        engine.left().await;
        if engine.has_given_up() {
            tracing::warn!("the process ends, and with it the jobs that block their threads");
            signals.exit();
        }
    }

    /// The node's backend.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.environment.backend
    }
}

impl<Global> fmt::Debug for Rexecutor<Global> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let executors: Vec<_> = self.plan.runners.keys().collect();
        f.debug_struct("Rexecutor")
            .field("backend", &self.environment.backend)
            .field("executors", &executors)
            .field("is_running", &self.engine.is_some())
            .finish()
    }
}
