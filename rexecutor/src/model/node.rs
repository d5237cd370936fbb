//! Nodes and their membership.

use std::time::Duration;

use super::id::{JobId, Lease, NodeId};

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

/// A member of the cluster, as it was last heard.
///
/// Whoever sees one that stays the same for its whole timeout, while the backend answers, may take it for dead and
/// [`rescue`](crate::backend::Maintain::rescue) its jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The member.
    pub node: NodeId,
    /// How often it was heard.
    pub beats: i64,
    /// How long it may be silent.
    pub timeout: Duration,
}

impl Member {
    /// A member that was heard so often, and may be silent for so long.
    pub fn new(node: NodeId, beats: i64, timeout: Duration) -> Self {
        Self { node, beats, timeout }
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
    /// The other members, in the order of their numbers; none, if it is no member itself.
    pub others: Vec<Member>,
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
