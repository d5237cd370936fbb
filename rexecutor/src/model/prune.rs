//! Which finished jobs a backend is asked to delete.

use chrono::TimeDelta;

use super::{id::ExecutorName, status::JobStatus};

/// What a backend is asked to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PruneSpec {
    /// The status, a finished one.
    pub status: JobStatus,
    /// Which of them.
    pub rule: PruneRule,
    /// Whose.
    pub executors: PruneScope,
}

impl PruneSpec {
    /// Jobs of this status that the rule names, of these executors.
    pub const fn new(status: JobStatus, rule: PruneRule, executors: PruneScope) -> Self {
        Self { status, rule, executors }
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        match self.rule {
            _ if !self.status.is_finished() => {
                Some(format!("only finished jobs can be pruned, and {} ones are not", self.status))
            }
            PruneRule::MaxAge(age) if age < TimeDelta::zero() => Some(format!("the age {age} to prune at is negative")),
            PruneRule::MaxAge(_) | PruneRule::MaxLength(_) => None,
        }
    }
}

/// Which finished jobs are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PruneRule {
    /// Those that finished longer ago than this.
    MaxAge(TimeDelta),
    /// All but this many that finished last.
    MaxLength(u32),
}

/// Whose jobs are deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PruneScope {
    /// Everybody's.
    All,
    /// Only those of these executors.
    Only(Vec<ExecutorName>),
    /// Those of every executor but these.
    Except(Vec<ExecutorName>),
}

impl PruneScope {
    /// Whether it takes in this executor.
    pub fn contains(&self, executor: &ExecutorName) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(executor),
            Self::Except(names) => !names.contains(executor),
        }
    }
}
