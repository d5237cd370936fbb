//! Deleting finished jobs: which, and when.
//!
//! # Examples
//!
//! ```
//! use rexecutor::prelude::*;
//! # struct RefreshWorker;
//! # #[async_trait::async_trait]
//! # impl Executor for RefreshWorker {
//! #     type Data = (); type Metadata = (); const NAME: &'static str = "refresh_worker";
//! #     async fn execute(_: Job<(), ()>) -> ExecutionResult { ExecutionResult::Done }
//! # }
//!
//! let every_hour = "0 0 * * * *".parse::<cron::Schedule>()?;
//! let config = PrunerConfig::new(every_hour)
//!     .with_pruner(Pruner::max_age(TimeDelta::days(31), JobStatus::Complete).only::<RefreshWorker>())
//!     .with_pruner(Pruner::max_length(200, JobStatus::Discarded));
//! # Ok::<(), cron::error::Error>(())
//! ```

use chrono::TimeDelta;

pub use crate::model::{PruneRule, PruneScope, PruneSpec};
use crate::{executing::Executor, model::JobStatus};

/// Which finished jobs are deleted, and when.
#[derive(Debug, Clone)]
pub struct PrunerConfig {
    pub(crate) schedule: cron::Schedule,
    pub(crate) max_concurrency: Option<usize>,
    pub(crate) specs: Vec<PruneSpec>,
}

impl PrunerConfig {
    /// Prunes whenever `schedule` ticks, in UTC. Nothing is deleted until a pruner is added.
    pub fn new(schedule: cron::Schedule) -> Self {
        Self { schedule, max_concurrency: Some(1), specs: Vec::new() }
    }

    /// How many pruners run at once; `None`, or zero: all of them. The default is 1.
    pub fn with_max_concurrency(mut self, limit: Option<usize>) -> Self {
        self.max_concurrency = limit.filter(|limit| *limit > 0);
        self
    }

    /// Adds a pruner.
    pub fn with_pruner(mut self, pruner: impl Into<PruneSpec>) -> Self {
        self.specs.push(pruner.into());
        self
    }

    /// Adds several pruners of one kind.
    pub fn with_pruners<P: Into<PruneSpec>>(mut self, pruners: impl IntoIterator<Item = P>) -> Self {
        self.specs.extend(pruners.into_iter().map(Into::into));
        self
    }
}

/// Finished jobs to delete, of every executor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruner(PruneSpec);

/// Finished jobs to delete, of some executors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopedPruner(PruneSpec);

impl Pruner {
    /// Deletes jobs that finished with `status` more than `age` ago. A job's age counts from its end, not from its due
    /// time.
    pub const fn max_age(age: TimeDelta, status: JobStatus) -> Self {
        Self(PruneSpec::new(status, PruneRule::MaxAge(age), PruneScope::All))
    }

    /// Keeps the `length` jobs that finished last with `status`, over all executors of this pruner together, and
    /// deletes those before.
    pub const fn max_length(length: u32, status: JobStatus) -> Self {
        Self(PruneSpec::new(status, PruneRule::MaxLength(length), PruneScope::All))
    }

    /// Only jobs of this executor; more are added with [`and`](ScopedPruner::and).
    pub fn only<E: Executor>(mut self) -> ScopedPruner {
        self.0.executors = PruneScope::Only(vec![E::NAME.into()]);
        ScopedPruner(self.0)
    }

    /// Jobs of every executor but this one; more are added with [`and`](ScopedPruner::and).
    pub fn except<E: Executor>(mut self) -> ScopedPruner {
        self.0.executors = PruneScope::Except(vec![E::NAME.into()]);
        ScopedPruner(self.0)
    }
}

impl ScopedPruner {
    /// And this executor.
    pub fn and<E: Executor>(mut self) -> Self {
        if let PruneScope::Only(names) | PruneScope::Except(names) = &mut self.0.executors {
            names.push(E::NAME.into());
        }
        self
    }
}

impl From<Pruner> for PruneSpec {
    fn from(pruner: Pruner) -> Self {
        pruner.0
    }
}

impl From<ScopedPruner> for PruneSpec {
    fn from(pruner: ScopedPruner) -> Self {
        pruner.0
    }
}
