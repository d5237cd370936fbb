//! Nodes and their membership.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::id::{JobId, Lease, NodeId};

/// A node about to join.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// Words for people: the host's name, say. It decides nothing.
    pub label: String,
    /// How long it may be silent before it counts as dead.
    pub timeout: Duration,
    /// What people are shown of it. It decides nothing.
    pub about: AboutNode,
}

impl Node {
    /// A node of this label that may be silent for so long.
    pub fn new(label: impl Into<String>, timeout: Duration) -> Self {
        Self { label: label.into(), timeout, about: AboutNode::default() }
    }

    /// What people are shown of it.
    #[must_use]
    pub fn with_about(self, about: AboutNode) -> Self {
        Self { about, ..self }
    }
}

/// What people are shown of a node. A backend stores it as JSON, and looks into nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AboutNode {
    /// The name of its machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The number of its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The version of its program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How many jobs it runs at once, over all executors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<usize>,
    /// Of which executors it runs fewer at once, and how many of each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub executor_slots: BTreeMap<String, usize>,
}

impl AboutNode {
    /// The text to store.
    pub fn encode(&self) -> String {
        // Nothing in it can fail to encode; and it decides nothing.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a stored text says; nothing, if it is of a form that this version does not know.
    pub fn decode(stored: Option<&str>) -> Self {
        stored.and_then(|stored| serde_json::from_str(stored).ok()).unwrap_or_default()
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
