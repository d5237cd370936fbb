//! Where the rows of the runs stand that this process has claimed.
//!
//! A completion takes its row by location instead of looking it up, and locking it, by number first. A location is a hint: whose
//! row is not there, or is not as the claim left it, is looked up after all.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use rexecutor::job::{JobId, Lease};

/// Where a row stands: PostgreSQL's `tid`, as text. Its own type is none that every driver knows, and asking for it would
/// take a round trip, in another session where there is a pooler.
pub(super) type Location = Box<str>;

/// How many are remembered: more runs than a process has. Those of a node that was dropped are never asked for again.
const MOST: usize = 100_000;

/// Where rows stand.
#[derive(Debug, Default)]
pub(super) struct RowLocations(Mutex<HashMap<(JobId, Lease), Location>>);

impl RowLocations {
    pub(super) fn remember(&self, runs: impl IntoIterator<Item = ((JobId, Lease), Location)>) {
        let mut locations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if locations.len() >= MOST {
            locations.clear();
        }
        locations.extend(runs);
    }

    /// The locations of runs, as far as they are known. They are forgotten.
    pub(super) fn take(&self, runs: impl IntoIterator<Item = (JobId, Lease)>) -> HashMap<(JobId, Lease), Location> {
        let mut locations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.into_iter().filter_map(|run| locations.remove_entry(&run)).collect()
    }
}
