//! The runs of a node.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    context::JobContext,
    model::{JobId, Lease, Outcome, RunEnd},
    slab::Slab,
};

/// Where a run stands: found at once, where a map of all runs would have to be searched twice for each.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Slot(usize);

/// A run that has ended.
pub(in crate::engine) struct Ended {
    pub(super) slot: Slot,
    pub(super) key: (JobId, Lease),
    pub(super) outcome: Outcome,
    pub(super) end: RunEnd,
    /// How long it ran.
    pub(super) took: Duration,
}

/// What runs on a node. All that there is of a run is kept until the node has heard of its end.
#[derive(Default)]
pub(super) struct Running(Slab<JobContext>);

impl Running {
    pub(super) fn insert(&mut self, run: JobContext) -> Slot {
        Slot(self.0.insert(run))
    }

    /// Removes a run, if it is still the one in that slot.
    pub(super) fn remove(&mut self, Slot(slot): Slot, key: (JobId, Lease)) -> Option<JobContext> {
        self.0.remove_if(slot, |run| self::key(run) == key)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &JobContext> {
        self.0.iter()
    }

    /// The runs by job and lease, for what has to do with many of them.
    pub(super) fn by_key(&self) -> BTreeMap<(JobId, Lease), &JobContext> {
        self.iter().map(|run| (key(run), run)).collect()
    }

    /// Removes all.
    pub(super) fn take(&mut self) -> Vec<(JobId, Lease)> {
        let keys = self.by_key().into_keys().collect();
        *self = Self::default();
        keys
    }
}

fn key(run: &JobContext) -> (JobId, Lease) {
    (run.job_id(), run.lease())
}
