//! What a node asks for, and what it is given.

use std::time::Duration;

use super::{id::ExecutorName, row::JobRow};

/// How many jobs of an executor a node can start now, or soon.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demand {
    /// The executor.
    pub executor: ExecutorName,
    /// The most jobs to claim of it.
    pub limit: usize,
}

impl Demand {
    /// So many jobs of an executor, at most.
    pub fn new(executor: impl Into<ExecutorName>, limit: usize) -> Self {
        Self { executor: executor.into(), limit }
    }
}

/// The answer to a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claimed {
    /// The jobs, each executor's in the order in which they start.
    pub jobs: Vec<JobRow>,
    /// How long until the next job of the asked executors that is not due yet becomes so, by the backend's clock.
    /// `None`: there is none, or as many as were asked for were claimed.
    pub next_due_in: Option<Duration>,
    /// Whether the node was a member.
    pub member: bool,
}

impl Claimed {
    /// Nothing, for a node that is a member or is not.
    pub fn nothing(member: bool) -> Self {
        Self { member, ..Self::default() }
    }
}
