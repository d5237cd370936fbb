//! Nodes and their membership.

use std::time::Duration;

use super::id::{JobId, Lease};

/// A node about to join.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// Words for people: the host's name, say. It decides nothing.
    pub label: String,
    /// How long it may be silent before it counts as dead.
    pub timeout: Duration,
}

impl Node {
    /// A node of this label that may be silent for so long.
    pub fn new(label: impl Into<String>, timeout: Duration) -> Self {
        Self { label: label.into(), timeout }
    }
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heartbeat {
    /// Whether the node is still a member. If not, its jobs are somebody else's now.
    pub member: bool,
    /// All that is executing as its own; nothing, if it is no member.
    pub runs: Vec<(JobId, Lease)>,
    /// Those of its runs that somebody asked to cancel.
    pub cancelled: Vec<(JobId, Lease)>,
}

impl Heartbeat {
    /// The answer to a node that is no member.
    pub fn of_no_member() -> Self {
        Self::default()
    }

    /// The answer to a member that runs nothing yet: what it runs is [added](Self::add).
    pub fn of_member() -> Self {
        Self { member: true, ..Self::default() }
    }

    /// Adds a run, and whether somebody asked to cancel it.
    pub fn add(&mut self, run: (JobId, Lease), is_cancelled: bool) {
        self.runs.push(run);
        if is_cancelled {
            self.cancelled.push(run);
        }
    }
}
