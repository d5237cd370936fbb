//! Runs that are stored as the node's and that the node never heard of.
//!
//! A claim whose answer was lost leaves such runs, and so does a database that forgot the end of a run when it crashed.
//! The node lives, so nobody would rescue them: it gives them back itself.
//!
//! # Invariants
//!
//! - What the node runs, or still has to settle, is never given back.
//! - Only a run that two heartbeats list is: at the first, a settlement may just have been under way.
//! - While a claim is under way nothing is concluded: its answer may bring what a heartbeat lists.

use std::collections::BTreeSet;

use crate::model::{JobId, Lease};

/// Runs that the last heartbeat listed and the node did not know.
#[derive(Debug, Default)]
pub(super) struct Orphans(BTreeSet<(JobId, Lease)>);

impl Orphans {
    /// Takes in what a heartbeat lists, while no claim is under way; returns what to give back.
    pub(super) fn notice(
        &mut self,
        listed: &[(JobId, Lease)],
        is_known: impl Fn(&(JobId, Lease)) -> bool,
    ) -> Vec<(JobId, Lease)> {
        let unknown = listed.iter().filter(|run| !is_known(run)).copied();
        let (lost, new): (BTreeSet<_>, BTreeSet<_>) = unknown.partition(|run| self.0.contains(run));
        self.0 = new;
        lost.into_iter().collect()
    }

    /// Forgets all: the membership is another one.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
