//! What a node asks for, and what it is given.

use std::time::Duration;

use super::{cluster_limits::ClusterLimits, id::ExecutorName, row::JobRow};

/// How many jobs of an executor a node can start now, or soon.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demand {
    /// The executor.
    pub executor: ExecutorName,
    /// The most jobs to claim of it.
    pub limit: usize,
    /// What the node's program declares for all nodes together.
    pub cluster: ClusterLimits,
    /// Once the jobs that were claimed of it have so many [bytes](JobRow::content_bytes), no further one is claimed. So there is
    /// one in any case, and the last may have any size.
    pub max_bytes: usize,
}

impl Demand {
    /// So many jobs of an executor, at most.
    pub fn new(executor: impl Into<ExecutorName>, limit: usize) -> Self {
        Self { executor: executor.into(), limit, cluster: ClusterLimits::NONE, max_bytes: usize::MAX }
    }

    /// What the node's program declares for all nodes together. It must not change while the node is a member.
    #[must_use]
    pub fn with_cluster_limits(self, cluster: ClusterLimits) -> Self {
        Self { cluster, ..self }
    }

    /// The same, but for at most this many jobs.
    #[must_use]
    pub fn at_most(self, limit: usize) -> Self {
        Self { limit: self.limit.min(limit), ..self }
    }

    /// … until they have so many bytes.
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// What is left of it once these jobs were claimed; `None`: nothing.
    pub fn after<'r>(&self, jobs: impl IntoIterator<Item = &'r JobRow>) -> Option<Self> {
        let taken = jobs.into_iter().fold((0, 0), |(jobs, bytes), job| (jobs + 1, bytes + job.content_bytes()));
        let (limit, max_bytes) = (self.limit.saturating_sub(taken.0), self.max_bytes.saturating_sub(taken.1));
        (limit > 0 && max_bytes > 0).then(|| Self { limit, max_bytes, ..self.clone() })
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
    /// The asked executors that have due jobs which a limit of the cluster keeps back.
    pub held: Vec<Held>,
    /// Whether the node was a member.
    pub member: bool,
}

/// An executor that has due jobs which a limit of the cluster keeps back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The executor.
    pub executor: ExecutorName,
    /// When it is worth while to claim again, by the backend's clock. `None`: once runs of it have ended, on any node.
    pub again_in: Option<Duration>,
}

impl Held {
    /// An executor that is kept back until then; `None`: until runs of it have ended.
    pub fn new(executor: ExecutorName, again_in: Option<Duration>) -> Self {
        Self { executor, again_in }
    }
}

impl Claimed {
    /// Nothing, for a node that is a member or is not.
    pub fn nothing(member: bool) -> Self {
        Self { member, ..Self::default() }
    }
}
