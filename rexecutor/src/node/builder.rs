//! Configuring a node before it starts.

use std::{fmt, sync::Arc};

use super::{
    error::StartError,
    plan::Plan,
    rexecutor::{GlobalSet, Rexecutor},
    runtime,
};
use crate::{
    backend::Backend,
    clock::{Clock, SystemClock},
    context::{Environment, StateMap},
    engine::{Engine, JobEvent, Options},
    executing::Executor,
    global,
    pruner::PrunerConfig,
    registry::{Registration, registered},
    schedule::{MissedTicks, Schedule, TimeZone},
    schedules::NewSchedule,
    signals,
};

/// A node that is being configured: [`Rexecutor::from_registry`] or [`Rexecutor::builder`] begins it,
/// [`start`](NodeBuilder::start) ends it.
#[must_use = "a node runs nothing until `start` is called and awaited"]
pub struct NodeBuilder {
    pub(super) backend: Option<Arc<dyn Backend>>,
    pub(super) state: StateMap,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: Options,
    pub(super) missed: MissedTicks,
    /// The registered jobs that this node runs; `None`: it takes none from the registry.
    pub(super) registered: Option<Vec<Registration>>,
    pub(super) plan: Plan,
}

impl Rexecutor {
    /// Configures a node with every job that has `#[job]` and is linked into this program.
    pub fn from_registry() -> NodeBuilder {
        NodeBuilder::new(true)
    }

    /// Configures a node with executors that are named one by one.
    pub fn builder() -> NodeBuilder {
        NodeBuilder::new(false)
    }
}

impl NodeBuilder {
    fn new(registry: bool) -> Self {
        Self {
            backend: None,
            state: StateMap::default(),
            clock: Arc::new(SystemClock),
            options: Options::default(),
            missed: MissedTicks::default(),
            registered: registry.then(registered),
            plan: Plan::default(),
        }
    }

    /// Where the jobs are. It becomes the global backend too, unless one is set. Without it the global backend is used.
    pub fn with_backend(mut self, backend: impl Backend) -> Self {
        self.backend = Some(Arc::new(backend));
        self
    }

    /// Gives the jobs a value that they take as [`State<T>`](crate::registry::State); one for each type.
    pub fn with_state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.state.insert(state);
        self
    }

    /// Runs the jobs of this executor too.
    pub fn with_executor<E: Executor>(mut self) -> Self {
        self.plan.add::<E>();
        self
    }

    /// Runs the jobs of this executor, and enqueues one with `data` whenever `schedule` ticks in `timezone`.
    pub fn with_cron_executor<E: Executor>(
        self,
        schedule: cron::Schedule,
        data: E::Data,
        timezone: impl Into<TimeZone>,
    ) -> Self {
        self.with_schedule::<E>(Schedule::new(schedule, timezone), data)
    }

    /// Runs the jobs of this executor, and enqueues one with `data` at each tick of `schedule`.
    ///
    /// # Examples
    ///
    /// ```
    /// use rexecutor::{prelude::*, schedule::Schedule};
    ///
    /// #[job]
    /// async fn payroll(office: String) {}
    ///
    /// let payday = Schedule::parse("0 0 9 LW * *", "America/New_York")?.start_on("2030-01-01")?;
    /// let node = Rexecutor::builder().with_schedule::<Payroll>(payday, "New York".to_owned());
    /// # Ok::<(), rexecutor::schedule::ScheduleError>(())
    /// ```
    pub fn with_schedule<E: Executor>(mut self, schedule: Schedule, data: E::Data) -> Self {
        self.plan.add_cron::<E>(schedule, data, self.missed);
        self
    }

    /// Runs the jobs of this executor, and enqueues them as a [schedule entry](crate::schedules::entry) with a name says.
    ///
    /// # Examples
    ///
    /// ```
    /// use rexecutor::{prelude::*, schedule::{Overlap, Schedule}, schedules};
    ///
    /// #[job]
    /// async fn payroll(office: String) {}
    ///
    /// let payday = Schedule::parse("0 0 9 LW * *", "America/New_York")?;
    /// let entry = schedules::entry::<Payroll>("payroll-new-york", payday, "New York".to_owned());
    /// let node = Rexecutor::builder().with_schedule_entry(entry.with_overlap(Overlap::Skip));
    /// # Ok::<(), rexecutor::schedule::ScheduleError>(())
    /// ```
    pub fn with_schedule_entry<E: Executor>(mut self, entry: NewSchedule<E>) -> Self {
        self.plan.add_entry(entry, self.missed);
        self
    }

    /// Deletes finished jobs.
    pub fn with_job_pruner(mut self, config: PrunerConfig) -> Self {
        self.plan.add_pruner(config);
        self
    }

    /// Of the registered jobs, runs only this one and others named so.
    pub fn only<E: Executor>(self) -> Self {
        self.only_named([E::NAME])
    }

    /// Of the registered jobs, runs only those with these names. A name that no job has keeps the node from starting.
    ///
    /// Calls add up: `.only_named(["a"]).only_named(["b"])` runs both.
    pub fn only_named(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.options.only.extend(names);
        self
    }

    /// Of the registered jobs, does not run this one.
    pub fn except<E: Executor>(self) -> Self {
        self.except_named([E::NAME])
    }

    /// Of the registered jobs, does not run those with these names. A name that no job has keeps the node from starting.
    pub fn except_named(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.options.except.extend(names);
        self
    }

    /// What becomes of cron ticks that nobody enqueued in time, for schedules that are added after this call and those
    /// of the registry, unless they say it themselves. The default is [`MissedTicks::Last`].
    pub fn with_missed_ticks(mut self, missed: MissedTicks) -> Self {
        self.missed = missed;
        self
    }

    /// What people call this node, and [pause](crate::cluster::pause_node) it by. The default names the process, and is another one when
    /// it starts again.
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.options.label = label.into();
        self
    }

    /// Which version of your program this is, as people are shown it beside the node: `env!("CARGO_PKG_VERSION")`, say. The
    /// default is none. It decides nothing.
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.options.version = Some(version.into());
        self
    }

    /// Calls this function with everything that happens to a job on this node: for error reporters and metrics. Calls of
    /// `on_event` add up.
    ///
    /// It runs on the job's task, at the start of each run and at its end, before the outcome is stored: it should not block.
    /// If it panics, the log says so, and nothing else happens. Jobs of nodes that died, and rows that cannot be read, are
    /// discarded without a run, and thus without an event; the log tells of them.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use rexecutor::{backend::memory::InMemoryBackend, node::JobEventKind, prelude::*};
    ///
    /// #[job(max_attempts = 1)]
    /// async fn charge(_card: String) -> Result<(), String> {
    ///     Err("the card was declined".to_owned())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let node = Rexecutor::from_registry()
    ///     .with_backend(InMemoryBackend::new())
    ///     .on_event(|event| {
    ///         if let JobEventKind::Discarded { error, .. } = event.kind {
    ///             println!("{} {}: {}", event.job.executor(), event.job.job_id(), error.details);
    ///         }
    ///     })
    ///     .start()
    ///     .await?;
    /// Charge::enqueue("4242".to_owned()).await?;
    /// node.run_until_idle().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// ```text
    /// charge 1: the card was declined
    /// ```
    pub fn on_event(mut self, hook: impl Fn(&JobEvent<'_>) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.options.hooks).add(hook);
        self
    }

    /// The clock that the node goes by. The default is [`SystemClock`]. A backend has its own.
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Starts the node: from here on it runs jobs, also when the returned value is dropped, until it is shut down or
    /// its tokio runtime ends.
    ///
    /// It does not wait for the database: if that is away, the node goes on trying.
    ///
    /// A second later, and then once a minute, the node looks for waiting jobs that no living node runs, as those of a function
    /// that was renamed, or of a library that the program does not link. The log has a warning for each such executor.
    ///
    /// Its backend becomes the global one, unless one is set: if that is another one, a warning is logged, and
    /// [`is_global_backend`](Rexecutor::is_global_backend) says so.
    ///
    /// # Errors
    ///
    /// When there is no backend, or anything that was configured cannot be: two jobs with one name, a state that a job
    /// takes and that was not given, a limit of zero, a limit of the cluster on a backend that
    /// keeps to none, a selected name that no job has, no job in the registry and no executor beside it. All of it is listed.
    /// When the backend takes no nodes, as where its database role may only enqueue.
    pub async fn start(mut self) -> Result<Rexecutor<GlobalSet>, StartError> {
        if self.registered.as_ref().is_some_and(Vec::is_empty) && self.plan.runners.is_empty() {
            self.plan.problems.push(EMPTY_REGISTRY.to_owned());
        }
        let jobs = self.check();
        self.plan.check_state(&jobs, &self.state);
        if !self.plan.problems.is_empty() {
            return Err(StartError::Invalid(self.plan.problems));
        }
        let mut problem = |backend: &dyn Backend| {
            if let Some(error) = backend.node_problem() {
                return Err(StartError::Backend(error));
            }
            self.plan.check_capabilities(backend);
            match std::mem::take(&mut self.plan.problems) {
                problems if problems.is_empty() => Ok(()),
                problems => Err(StartError::Invalid(problems)),
            }
        };
        let backend = match self.backend {
            Some(backend) => {
                problem(&*backend)?;
                // One that was set before stays: jobs must not end up in a backend that nobody works on.
                if global::set(backend.clone()).is_err() && !global::is(&*backend) {
                    tracing::warn!(
                        backend = backend.name(),
                        "another global backend is set already: jobs that name no backend are enqueued there, and not \
                         where this node looks for them"
                    );
                }
                backend
            }
            None => {
                let backend = global::backend()?;
                problem(&*backend)?;
                backend
            }
        };
        if !runtime::has_timer() {
            return Err(StartError::NoRuntime);
        }
        let environment = Environment::new(backend, self.clock, self.state);
        signals::stand();
        let slots = self.plan.runners.values().filter_map(|runner| Some((runner.name, runner.max_concurrency?)));
        self.options.executor_slots = slots.collect();
        let engine = Engine::start(environment.clone(), self.options);
        self.plan.runners.into_values().for_each(|runner| engine.add(runner));
        if !self.plan.timetables.is_empty() {
            engine.follow(self.plan.timetables);
        }
        Ok(Rexecutor::running(environment, engine))
    }

    /// Notes what is wrong; returns the registered jobs that are selected.
    pub(super) fn check(&mut self) -> Vec<Registration> {
        let zero = |what| format!("{what} is zero");
        let Options { max_running, max_held_bytes, node_timeout, poll_interval, .. } = self.options;
        let limits = [
            (max_running == 0, "max_running"),
            (max_held_bytes == 0, "max_held_bytes"),
            (node_timeout.is_zero(), "node_timeout"),
            (poll_interval.is_zero(), "poll_interval"),
        ];
        self.plan.problems.extend(limits.into_iter().filter(|(bad, _)| *bad).map(|(_, what)| zero(what)));
        let Some(all) = self.registered.take() else { return Vec::new() };
        let Options { only, except, .. } = &self.options;
        for name in only.iter().chain(except) {
            if !all.iter().any(|job| job.name() == *name) {
                self.plan.problems.push(format!("no registered job is named `{name}`, which was selected"));
            }
        }
        let selected =
            |job: &Registration| (only.is_empty() || only.contains(&job.name())) && !except.contains(&job.name());
        let jobs: Vec<_> = all.iter().copied().filter(selected).collect();
        self.plan.add_registered(&jobs, self.missed);
        jobs
    }
}

const EMPTY_REGISTRY: &str = "no job is registered, so this node would run nothing: write `#[job]` on a function; if the jobs are \
     in a library that this program never names, the linker has left them out: write `use the_library as _;` in the program; \
     an executor without `#[job]` is added with `.with_executor::<TheExecutor>()`";

impl fmt::Debug for NodeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeBuilder")
            .field("options", &self.options)
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}
