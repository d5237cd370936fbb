//! What `rexecutor-testing` builds on: a node's jobs without its engine. Not public API.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;

use crate::{
    backend::{Backend, StepLog},
    builder,
    clock::Clock,
    context::{Environment, JobContext, StateMap},
    engine::{Options, Runner, Timetable, attempt, tick_alone},
    executing::{Executor, Middleware, NodeMiddleware},
    global::Isolation,
    model::{JobId, JobRow, NewJob, Outcome, Progress, Result, Settlement},
};

/// Runs single jobs as a node would.
pub struct JobRunner {
    environment: Arc<Environment>,
    runners: BTreeMap<&'static str, Runner>,
    timetables: Vec<Timetable>,
    middleware: NodeMiddleware,
}

impl JobRunner {
    pub(crate) fn new(
        environment: Environment,
        runners: BTreeMap<&'static str, Runner>,
        timetables: Vec<Timetable>,
    ) -> Self {
        Self { environment: Arc::new(environment), runners, timetables, middleware: NodeMiddleware::default() }
    }

    pub(crate) fn within(self, middleware: NodeMiddleware) -> Self {
        Self { middleware, ..self }
    }

    /// One that runs what it is given.
    pub fn of(backend: Arc<dyn Backend>, clock: Arc<dyn Clock>, state: StateMap) -> Self {
        Self::new(Environment::new(backend, clock, state), BTreeMap::new(), Vec::new())
    }

    /// … and records steps there, and not in the backend.
    #[must_use]
    pub fn with_step_log(self, step_log: Arc<dyn StepLog>) -> Self {
        let environment = Environment { step_log: Some(step_log), ..(*self.environment).clone() };
        Self { environment: Arc::new(environment), ..self }
    }

    /// … and gives its jobs this, as JSON, as what the tasks before them gave.
    #[must_use]
    pub fn with_upstream(self, json: Option<String>) -> Self {
        let given_upstream = json.map(Arc::from);
        let environment = Environment { given_upstream, ..(*self.environment).clone() };
        Self { environment: Arc::new(environment), ..self }
    }

    /// … and surrounds its runs with these, from the outside in.
    #[must_use]
    pub fn with_middleware(mut self, middleware: impl IntoIterator<Item = Arc<dyn Middleware>>) -> Self {
        middleware.into_iter().for_each(|layer| self.middleware.add(layer));
        self
    }

    /// The names of its executors.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.runners.keys().copied()
    }

    /// Runs a claimed job to its end; `None`: it has no such executor.
    pub async fn run(&self, row: JobRow) -> Option<Settlement> {
        let unsettled = Settlement::new(row.id, row.lease, Outcome::GiveBack).with_flow_of(&row);
        let runner = self.runners.get(row.executor.as_str())?;
        let (outcome, _) = self.attempt(runner, row).await;
        let Environment { reporter, emitter, backend, .. } = &*self.environment;
        if let Err(error) = reporter.store(&**backend).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "the progress of a job is lost");
        }
        if let Err(error) = emitter.store_all(&**backend).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "what a job has streamed is lost");
        }
        Some(Settlement { outcome, ..unsettled })
    }

    /// The row that a job which is stored nowhere would have while it runs.
    pub fn row(&self, job: NewJob) -> JobRow {
        let mut row = JobRow::new(JobId::from(1), job, self.environment.clock.now());
        row.attempt = 1;
        row
    }

    /// Runs a job that is stored nowhere; gives also what it has said of itself, and what it has streamed.
    pub async fn perform<E: Executor>(&self, row: JobRow) -> (Outcome, Option<Progress>, Vec<String>) {
        let (outcome, context) = self.attempt(&Runner::of::<E>(), row).await;
        (outcome, context.has_said(), context.take_streamed())
    }

    /// Does what its schedules owe, as a node's ticker; returns when the next one is due.
    ///
    /// # Errors
    ///
    /// When the backend fails.
    pub async fn tick(&self) -> Result<Option<DateTime<Utc>>> {
        tick_alone(&self.environment, &self.timetables).await
    }

    async fn attempt(&self, runner: &Runner, row: JobRow) -> (Outcome, JobContext) {
        let context = JobContext::new(row, self.environment.clone());
        let grace = Options::default().cancel_grace;
        let outcome = attempt(runner.begin, &context, grace, &self.middleware).await;
        (outcome, context)
    }
}

impl std::fmt::Debug for JobRunner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobRunner").field("runners", &self.runners.keys()).finish_non_exhaustive()
    }
}

/// Keeps a runtime's global backend apart from all others until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the isolation"]
pub struct Isolated {
    isolation: Isolation,
}

impl Drop for Isolated {
    fn drop(&mut self) {
        builder::remove_of(self.isolation.runtime());
    }
}

/// Makes a backend the global one of this runtime alone.
pub fn isolate(runtime: &Handle, backend: Arc<dyn Backend>) -> Isolated {
    Isolated { isolation: Isolation::of(runtime, backend) }
}
