//! Where rows are found without looking at all of them.
//!
//! # Invariant
//!
//! - A row is removed as it was added: it changes between the two, never while it is indexed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use crate::{
    backend::JobRow,
    job::{ExecutorName, JobId, JobStatus, NodeId, uniqueness_criteria::UniqueKey},
};

/// Where a waiting job stands in its executor's line.
type Place = (u16, DateTime<Utc>, JobId);

const FIRST: JobId = JobId(i64::MIN);
const LAST: JobId = JobId(i64::MAX);

#[derive(Debug, Default)]
pub(super) struct Indexes {
    /// Waiting jobs of each executor, in the order in which they start once due.
    waiting: BTreeMap<ExecutorName, BTreeSet<Place>>,
    executing: BTreeSet<(NodeId, JobId)>,
    unique: HashMap<UniqueKey, BTreeSet<JobId>>,
}

impl Indexes {
    pub(super) fn add(&mut self, row: &JobRow) {
        match (row.status, row.node) {
            (JobStatus::Scheduled | JobStatus::Retryable, _) => {
                let place = (row.priority, row.scheduled_at, row.id);
                // The name is copied for the first job only.
                match self.waiting.get_mut(&row.executor) {
                    Some(line) => line.insert(place),
                    None => self.waiting.entry(row.executor.clone()).or_default().insert(place),
                };
            }
            (JobStatus::Executing, Some(node)) => {
                self.executing.insert((node, row.id));
            }
            _ => {}
        }
        if let Some(key) = row.unique_key {
            self.unique.entry(key).or_default().insert(row.id);
        }
    }

    pub(super) fn remove(&mut self, row: &JobRow) {
        match (row.status, row.node) {
            (JobStatus::Scheduled | JobStatus::Retryable, _) => {
                if let Some(line) = self.waiting.get_mut(&row.executor) {
                    line.remove(&(row.priority, row.scheduled_at, row.id));
                }
            }
            (JobStatus::Executing, Some(node)) => {
                self.executing.remove(&(node, row.id));
            }
            _ => {}
        }
        let Some(key) = row.unique_key else { return };
        if let Some(ids) = self.unique.get_mut(&key) {
            ids.remove(&row.id);
            if ids.is_empty() {
                self.unique.remove(&key);
            }
        }
    }

    /// An executor's due jobs, in the order in which they start.
    pub(super) fn due(&self, executor: &str, now: DateTime<Utc>) -> impl Iterator<Item = JobId> {
        self.lines(executor).flat_map(move |(line, priority)| {
            line.range((priority, DateTime::<Utc>::MIN_UTC, FIRST)..=(priority, now, LAST)).map(|place| place.2)
        })
    }

    /// When the next job of an executor that is not due yet becomes so.
    pub(super) fn next_due(&self, executor: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first_after = |(line, priority): (&BTreeSet<Place>, u16)| {
            let next = line.range((priority, now, LAST)..).next()?;
            (next.0 == priority).then_some(next.1)
        };
        self.lines(executor).filter_map(first_after).min()
    }

    /// An executor's line, once for each priority in it: stepping over a priority costs one look-up, however many
    /// future jobs it holds.
    fn lines(&self, executor: &str) -> impl Iterator<Item = (&BTreeSet<Place>, u16)> {
        let line = self.waiting.get(executor);
        let first = line.and_then(|line| line.first()).map(|place| place.0);
        std::iter::successors(first, move |priority| {
            let next = priority.checked_add(1)?;
            Some(line?.range((next, DateTime::<Utc>::MIN_UTC, FIRST)..).next()?.0)
        })
        .filter_map(move |priority| Some((line?, priority)))
    }

    /// What runs, node by node.
    pub(super) fn executing(&self) -> impl Iterator<Item = (NodeId, JobId)> {
        self.executing.iter().copied()
    }

    /// What runs on a node.
    pub(super) fn runs(&self, node: NodeId) -> impl Iterator<Item = JobId> {
        self.executing.range((node, FIRST)..=(node, LAST)).map(|(_, id)| *id)
    }

    /// The jobs with this key, the newest first.
    pub(super) fn unique(&self, key: &UniqueKey) -> impl Iterator<Item = JobId> {
        self.unique.get(key).into_iter().flat_map(|ids| ids.iter().rev().copied())
    }
}
