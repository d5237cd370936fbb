//! Jobs that nobody runs.

use super::id::ExecutorName;

/// An executor that has waiting jobs and that no living node runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unserved {
    /// The name under which the jobs are stored.
    pub executor: ExecutorName,
    /// How many of its jobs are scheduled or retryable, counted up to [`MOST_JOBS`](Self::MOST_JOBS).
    pub jobs: usize,
}

impl Unserved {
    /// The number up to which the jobs of an executor are counted.
    pub const MOST_JOBS: usize = 1_000;

    /// How many executors one answer has at most.
    pub const MOST_EXECUTORS: usize = 100;

    /// An executor with so many jobs.
    pub fn new(executor: impl Into<ExecutorName>, jobs: usize) -> Self {
        Self { executor: executor.into(), jobs }
    }
}
