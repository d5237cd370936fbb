//! Claims whose commit may or may not have happened.
//!
//! When the connection breaks while a claim commits, its jobs may belong to a node that never heard of them. It goes on
//! living, so nobody would rescue them. They are known here, because the statement answers before the commit: the
//! node's next claim gives them back, fenced by their leases.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rexecutor::{
    backend::{JobRow, Settlement},
    job::{JobId, Lease, NodeId},
};

type Run = (JobId, Lease);

/// What each node may have claimed unheard.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<HashMap<NodeId, Vec<Run>>>);

/// A commit that is under way. Dropping it, before it has ended, leaves the doubt.
#[must_use]
pub(super) struct Doubt<'a> {
    doubts: &'a Doubts,
    node: NodeId,
    runs: Vec<Run>,
}

impl Doubts {
    /// Says that these jobs are about to become the node's.
    pub(super) fn begin(&self, node: NodeId, jobs: &[JobRow]) -> Doubt<'_> {
        let runs = jobs.iter().map(|job| (job.id, job.lease)).collect();
        Doubt { doubts: self, node, runs }
    }

    /// What a node may have claimed unheard.
    pub(super) fn of(&self, node: NodeId) -> Vec<Run> {
        self.all().get(&node).cloned().unwrap_or_default()
    }

    /// These were given back.
    pub(super) fn forget(&self, node: NodeId, returned: &[Settlement]) {
        let returned: Vec<Run> = returned.iter().map(|settlement| (settlement.id, settlement.lease)).collect();
        self.remove(node, &returned);
    }

    /// The node has left; whatever it had is rescued.
    pub(super) fn forget_node(&self, node: NodeId) {
        self.all().remove(&node);
    }

    fn remove(&self, node: NodeId, runs: &[Run]) {
        let mut all = self.all();
        let Some(doubted) = all.get_mut(&node).filter(|_| !runs.is_empty()) else { return };
        doubted.retain(|run| !runs.contains(run));
        if doubted.is_empty() {
            all.remove(&node);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<NodeId, Vec<Run>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Doubt<'_> {
    /// The commit was heard of.
    pub(super) fn end(mut self) {
        self.runs.clear();
    }
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if !self.runs.is_empty() {
            self.doubts.all().entry(self.node).or_default().append(&mut self.runs);
        }
    }
}
