//! The jobs that `#[job]` has registered, and what they take from the node that runs them.
//!
//! Every `#[job]` submits a [`Registration`] that the linker collects, so that
//! [`Rexecutor::from_registry`](crate::Rexecutor::from_registry) finds all jobs linked into the program.
//!
//! # Jobs in libraries
//!
//! A linker leaves out an object file that nothing refers to, with the jobs in it. If a library crate holds jobs and the
//! program never names the crate, write `use the_crate as _;` in `main.rs`.

mod extract;
mod state;

#[doc(hidden)]
pub use self::extract::extract;
pub use self::{
    extract::{Extract, ExtractError, Requirements, State},
    state::StateMap,
};
use crate::{
    backend::NewJob,
    engine::{Runner, runner},
    executor::Executor,
    job::builder::EnqueueError,
};

/// A job that `#[job]` has registered.
#[derive(Clone, Copy)]
pub struct Registration {
    name: &'static str,
    file: &'static str,
    line: u32,
    runner: fn() -> Box<dyn Runner>,
    requires: fn(&mut Requirements),
    crons: &'static [CronEntry],
}

/// One schedule of a job.
#[derive(Clone, Copy)]
pub struct CronEntry {
    expression: &'static str,
    timezone: &'static str,
    job: fn() -> Result<NewJob, EnqueueError>,
}

inventory::collect!(Registration);

impl Registration {
    /// Registers an executor that is defined at this place.
    pub const fn of<E: Executor>(file: &'static str, line: u32) -> Self {
        Self { name: E::NAME, file, line, runner: runner::<E>, requires: |_| {}, crons: &[] }
    }

    /// What its node must have.
    pub const fn requiring(mut self, requires: fn(&mut Requirements)) -> Self {
        self.requires = requires;
        self
    }

    /// When it runs by itself.
    pub const fn with_crons(mut self, crons: &'static [CronEntry]) -> Self {
        self.crons = crons;
        self
    }

    /// The name under which its jobs are stored.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The file and line that define it.
    pub const fn location(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }

    /// Its schedules.
    pub const fn crons(&self) -> &'static [CronEntry] {
        self.crons
    }

    pub(crate) fn runner(&self) -> Box<dyn Runner> {
        (self.runner)()
    }

    pub(crate) fn requirements(&self) -> Requirements {
        let mut requirements = Requirements::default();
        (self.requires)(&mut requirements);
        requirements
    }
}

impl CronEntry {
    /// A schedule in a time zone, and the job that each tick enqueues.
    pub const fn new(
        expression: &'static str,
        timezone: &'static str,
        job: fn() -> Result<NewJob, EnqueueError>,
    ) -> Self {
        Self { expression, timezone, job }
    }

    /// The cron expression.
    pub const fn expression(&self) -> &'static str {
        self.expression
    }

    /// The time zone's name.
    pub const fn timezone(&self) -> &'static str {
        self.timezone
    }

    pub(crate) fn job(&self) -> Result<NewJob, EnqueueError> {
        (self.job)()
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, file, line, crons, .. } = self;
        f.debug_struct("Registration")
            .field("name", name)
            .field("file", file)
            .field("line", line)
            .field("crons", crons)
            .finish()
    }
}

impl std::fmt::Debug for CronEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { expression, timezone, .. } = self;
        f.debug_struct("CronEntry").field("expression", expression).field("timezone", timezone).finish()
    }
}

/// Every job that is linked into this program, by name.
pub fn registered() -> Vec<Registration> {
    let mut all: Vec<_> = inventory::iter::<Registration>().copied().collect();
    all.sort_by_key(|registration| (registration.name, registration.file, registration.line));
    all
}
