//! The runs of a node, each in a place of its own.
//!
//! # Invariants
//!
//! - A place is free again when its run was removed, so it is known by the run beside its number.
//! - Places are given in an order that depends on nothing but the order of beginnings and ends.

use std::collections::BTreeMap;

use crate::job::{JobContext, JobId, Lease};

/// Where a run stands: found at once, where a map of all runs would have to be searched twice for each.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

fn key(run: &JobContext) -> (JobId, Lease) {
    (run.job_id(), run.lease())
}

/// What runs on this node. All that there is of a run is kept until the node has heard of its end.
#[derive(Default)]
pub(super) struct Running {
    places: Vec<Option<JobContext>>,
    free: Vec<usize>,
}

impl Running {
    pub(super) fn insert(&mut self, run: JobContext) -> Place {
        let place = self.free.pop().unwrap_or(self.places.len());
        match self.places.get_mut(place) {
            Some(free) => *free = Some(run),
            None => self.places.push(Some(run)),
        }
        Place(place)
    }

    /// Removes a run, if it is still the one in that place.
    pub(super) fn remove(&mut self, Place(place): Place, key: (JobId, Lease)) -> Option<JobContext> {
        let run = self.places.get_mut(place)?.take_if(|run| self::key(run) == key)?;
        self.free.push(place);
        Some(run)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &JobContext> {
        self.places.iter().flatten()
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
