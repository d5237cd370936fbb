//! What `#[job]` tells the registry.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    extract::Requirements,
    payload::{Payload, payload_of},
};
use crate::{
    builder::EnqueueError,
    engine::Runner,
    executing::{Executor, JobTypes, Rerun, Retention},
    model::{CircuitBreaker, Limit, NewJob, OnDiscard, Rate},
    schedule::{MissedTicks, Overlap, Schedule, ScheduleError},
};

/// A job that `#[job]` has registered.
#[derive(Clone, Copy)]
pub struct Registration {
    name: &'static str,
    settings: Settings,
    file: &'static str,
    line: u32,
    runner: Runner,
    requires: fn(&mut Requirements),
    types: Option<fn() -> JobTypes>,
    crons: &'static [CronEntry],
    pub(super) payload: Payload,
}

/// What a job declares of itself, as the constants of its [`Executor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Former names, under which jobs may be stored.
    pub aliases: &'static [&'static str],
    /// How many attempts a job has.
    pub max_attempts: u16,
    /// How many run at once on a node; `None`: as many as the node runs at all.
    pub max_concurrency: Option<usize>,
    /// How many run at once on all nodes together; `None`: any number.
    pub cluster_concurrency: Option<usize>,
    /// How many of one key run at once on all nodes together; `None`: any number.
    pub key_concurrency: Option<usize>,
    /// Whether those of one key run one after another, and what becomes of those behind one that is discarded; `None`: they do
    /// not.
    pub ordered: Option<OnDiscard>,
    /// How many start in how much time on all nodes together; `None`: any number.
    pub rate_limit: Option<Rate>,
    /// How many of one key start in how much time on all nodes together; `None`: any number.
    pub key_rate: Option<Rate>,
    /// Whether a job costs as many tokens as [`Executor::weight`] says.
    pub weighs: bool,
    /// What it shares with other jobs.
    pub limits: &'static [&'static Limit],
    /// How many may wait; `None`: any number.
    pub max_pending: Option<usize>,
    /// When it is paused by itself, because its attempts keep failing; `None`: never.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Lower numbers start first.
    pub priority: u16,
    /// In how much time of waiting a job rises by one priority; `None`: it does not.
    pub aging: Option<Duration>,
    /// Words to find jobs by.
    pub tags: &'static [&'static str],
    /// Whether it blocks its thread.
    pub is_blocking: bool,
    /// Whether it may be run again by hand once it is complete.
    pub rerun: Rerun,
    /// How long it is kept.
    pub retention: Retention,
    /// The most bytes of its encoded data.
    pub max_data_bytes: usize,
    /// How long after it is stored there is no use in it any more; `None`: there always is.
    pub deadline: Option<TimeDelta>,
    /// How long an attempt may take; `None`: for ever, or as its own `timeout` says.
    pub timeout: Option<Duration>,
    /// How long a failed attempt waits, as `#[job]` was told; `None`: as [`Executor::backoff`] says.
    pub backoff: Option<&'static str>,
    /// What must not exist beside a job, as `#[job]` was told; `None`: as [`Executor::UNIQUENESS_CRITERIA`] says.
    pub uniqueness: Option<&'static str>,
}

impl Settings {
    const fn of<E: Executor>() -> Self {
        Self {
            aliases: E::ALIASES,
            max_attempts: E::MAX_ATTEMPTS,
            max_concurrency: E::MAX_CONCURRENCY,
            cluster_concurrency: E::CLUSTER_CONCURRENCY,
            key_concurrency: E::KEY_CONCURRENCY,
            ordered: E::ORDERED,
            rate_limit: E::RATE_LIMIT,
            key_rate: E::KEY_RATE,
            weighs: E::WEIGHS,
            limits: E::LIMITS,
            max_pending: E::MAX_PENDING,
            circuit_breaker: E::CIRCUIT_BREAKER,
            priority: E::PRIORITY,
            aging: E::AGING,
            tags: E::TAGS,
            is_blocking: E::BLOCKING,
            rerun: E::RERUN,
            retention: E::RETENTION,
            max_data_bytes: E::MAX_DATA_BYTES,
            deadline: E::DEADLINE,
            timeout: None,
            backoff: None,
            uniqueness: None,
        }
    }
}

/// One schedule of a job.
#[derive(Clone, Copy)]
pub struct CronEntry {
    expression: &'static str,
    timezone: &'static str,
    jitter: Duration,
    starts: Option<&'static str>,
    ends: Option<&'static str>,
    missed: Option<MissedTicks>,
    overlap: Overlap,
    entry: Option<&'static str>,
    job: fn() -> Result<NewJob, EnqueueError>,
}

inventory::collect!(Registration);

impl Registration {
    /// Registers an executor that is defined at this place.
    pub const fn of<E: Executor>(file: &'static str, line: u32) -> Self {
        Self {
            name: E::NAME,
            settings: Settings::of::<E>(),
            file,
            line,
            runner: Runner::of::<E>(),
            requires: |_| {},
            types: None,
            crons: &[],
            payload: payload_of::<E>(),
        }
    }

    /// What its node must have.
    pub const fn requiring(mut self, requires: fn(&mut Requirements)) -> Self {
        self.requires = requires;
        self
    }

    /// What its jobs give, and take from the tasks before them.
    pub const fn with_types(mut self, types: fn() -> JobTypes) -> Self {
        self.types = Some(types);
        self
    }

    /// How long an attempt may take. It says so, and changes nothing.
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = Some(timeout);
        self
    }

    /// How long a failed attempt waits, in words.
    pub const fn with_backoff(mut self, description: &'static str) -> Self {
        self.settings.backoff = Some(description);
        self
    }

    /// What must not exist beside a job, in words.
    pub const fn with_uniqueness(mut self, description: &'static str) -> Self {
        self.settings.uniqueness = Some(description);
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

    /// What it declares of itself.
    pub const fn settings(&self) -> Settings {
        self.settings
    }

    /// The file and line that define it.
    pub const fn location(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }

    /// Its schedules.
    pub const fn crons(&self) -> &'static [CronEntry] {
        self.crons
    }

    pub(crate) fn types(&self) -> Option<JobTypes> {
        self.types.map(|types| types())
    }

    pub(crate) const fn runner(&self) -> Runner {
        self.runner
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
        Self {
            expression,
            timezone,
            jitter: Duration::ZERO,
            starts: None,
            ends: None,
            missed: None,
            overlap: Overlap::Allow,
            entry: None,
            job,
        }
    }

    /// How much later than a tick its job may start, as [`Schedule::with_jitter`] says.
    pub const fn with_jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// From when on, and until when, it ticks, as [`Schedule::start_on`] and [`Schedule::end_on`] take it.
    pub const fn with_dates(mut self, starts: Option<&'static str>, ends: Option<&'static str>) -> Self {
        self.starts = starts;
        self.ends = ends;
        self
    }

    /// What becomes of ticks that nobody enqueued in time; without this it is as the node says.
    pub const fn with_missed_ticks(mut self, missed: MissedTicks) -> Self {
        self.missed = Some(missed);
        self
    }

    /// What becomes of ticks while an earlier job is not finished.
    pub const fn with_overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// What its entry is known by.
    pub const fn with_entry(mut self, name: &'static str) -> Self {
        self.entry = Some(name);
        self
    }

    /// What becomes of ticks that nobody enqueued in time; `None`: as the node says.
    pub const fn missed(&self) -> Option<MissedTicks> {
        self.missed
    }

    /// What becomes of ticks while an earlier job is not finished.
    pub const fn overlap(&self) -> Overlap {
        self.overlap
    }

    /// What its [entry](crate::schedules) is known by; `None`: by its job and data.
    pub const fn entry(&self) -> Option<&'static str> {
        self.entry
    }

    /// When it is due.
    ///
    /// # Errors
    ///
    /// When the expression, the time zone or a date cannot be read. `#[job]` has checked them.
    pub fn schedule(&self) -> Result<Schedule, ScheduleError> {
        let mut schedule = Schedule::parse(self.expression, self.timezone)?.with_jitter(self.jitter)?;
        if let Some(date) = self.starts {
            schedule = schedule.start_on(date)?;
        }
        if let Some(date) = self.ends {
            schedule = schedule.end_on(date)?;
        }
        Ok(schedule)
    }

    /// The cron expression, or `@every` with the interval.
    pub const fn expression(&self) -> &'static str {
        self.expression
    }

    /// The time zone's name.
    pub const fn timezone(&self) -> &'static str {
        self.timezone
    }

    /// Its first tick after `after`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// When the expression or the time zone cannot be read. `#[job]` has checked both.
    pub fn next_after(&self, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ScheduleError> {
        Ok(self.schedule()?.next_after(after))
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
