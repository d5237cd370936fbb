//! Where rows are found without looking at all of them.
//!
//! # Invariant
//!
//! - A row is removed as it was added: it changes between the two, never while it is indexed. Its unique key changes only by
//!   hand, so that stays while anything else does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::{flows::Members, keys::Keys, lines::Lines};
use crate::{
    backend::rotation::MAX_STEPS,
    model::{ExecutorName, JobId, JobRow, JobStatus, NodeId, UniqueKey},
    slab::Slab,
};

/// An executor's waiting jobs: by priority, and then in the order in which they start once due. So stepping over a
/// priority costs one look-up, however many future jobs it holds.
type Queue = BTreeMap<u16, BTreeSet<(DateTime<Utc>, JobId)>>;

const LAST: JobId = JobId(i64::MAX);

/// A row, and where the indexes find it again.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) row: JobRow,
    /// Its place among those that run, while it does.
    slot: usize,
}

impl From<JobRow> for Indexed {
    fn from(row: JobRow) -> Self {
        Self { row, slot: usize::MAX }
    }
}

#[derive(Debug, Default)]
pub(super) struct Indexes {
    waiting: BTreeMap<ExecutorName, Queue>,
    executing: Slab<(NodeId, JobId)>,
    /// The jobs that are blocked or wait and have a deadline.
    deadlines: BTreeSet<(DateTime<Utc>, JobId)>,
    unique: HashMap<UniqueKey, BTreeSet<JobId>>,
    /// Those of the waiting jobs that have a key.
    pub(super) keys: Keys,
    /// The jobs that stand in a line and do not run.
    pub(super) lines: Lines,
    /// The jobs that are part of a flow.
    pub(super) members: Members,
}

impl Indexes {
    /// Adds a row by what hardly ever changes.
    pub(super) fn insert(&mut self, row: &JobRow) {
        if let Some(key) = row.unique_key {
            self.unique.entry(key).or_default().insert(row.id);
        }
    }

    /// Removes a row that is deleted, or changed by hand.
    pub(super) fn delete(&mut self, row: &JobRow) {
        let Some(key) = row.unique_key else { return };
        if let Some(ids) = self.unique.get_mut(&key) {
            ids.remove(&row.id);
            if ids.is_empty() {
                self.unique.remove(&key);
            }
        }
    }

    /// Adds a row by what changes.
    pub(super) fn add(&mut self, Indexed { row, slot }: &mut Indexed) {
        if !row.extras.is_empty() {
            self.deadlines.extend(waiting_deadline(row));
            self.lines.insert(row);
            self.members.insert(row);
        }
        match (row.status, row.node) {
            (JobStatus::Scheduled | JobStatus::Retryable, _) => {
                self.keys.insert(row);
                let start = (row.scheduled_at, row.id);
                // The name is copied for the first job only.
                match self.waiting.get_mut(&row.executor) {
                    Some(queue) => queue.entry(row.priority).or_default().insert(start),
                    None => {
                        let queue = self.waiting.entry(row.executor.clone()).or_default();
                        queue.entry(row.priority).or_default().insert(start)
                    }
                };
            }
            (JobStatus::Executing, Some(node)) => *slot = self.executing.insert((node, row.id)),
            (JobStatus::Blocked | JobStatus::Executing, _) => {}
            (JobStatus::Complete | JobStatus::Cancelled | JobStatus::Discarded, _) => {}
        }
    }

    /// Removes a row by what changes.
    pub(super) fn remove(&mut self, Indexed { row, slot }: &Indexed) {
        if !row.extras.is_empty() {
            self.remove_deadline(row);
            self.lines.remove(row);
            self.members.remove(row);
        }
        match (row.status, row.node) {
            (JobStatus::Scheduled | JobStatus::Retryable, _) => {
                self.keys.remove(row);
                let Some(queue) = self.waiting.get_mut(&row.executor) else { return };
                if let Some(waiting) = queue.get_mut(&row.priority) {
                    waiting.remove(&(row.scheduled_at, row.id));
                    if waiting.is_empty() {
                        queue.remove(&row.priority);
                    }
                }
            }
            (JobStatus::Executing, Some(node)) => {
                self.executing.remove_if(*slot, |run| *run == (node, row.id));
            }
            (JobStatus::Blocked | JobStatus::Executing, _) => {}
            (JobStatus::Complete | JobStatus::Cancelled | JobStatus::Discarded, _) => {}
        }
    }

    /// Removes a row from all that [`take_due`](Self::take_due) has not removed it from.
    pub(super) fn remove_taken(&mut self, row: &JobRow) {
        if !row.extras.is_empty() {
            self.keys.remove(row);
            self.lines.remove(row);
            self.members.remove(row);
            self.remove_deadline(row);
        }
    }

    fn remove_deadline(&mut self, row: &JobRow) {
        if let Some(entry) = waiting_deadline(row) {
            self.deadlines.remove(&entry);
        }
    }

    /// The jobs that are blocked or wait and whose deadline has come.
    pub(super) fn overdue(&self, now: DateTime<Utc>) -> Vec<JobId> {
        self.deadlines.range(..=(now, LAST)).map(|(_, id)| *id).collect()
    }

    /// Removes up to `most` due jobs of an executor, in the order in which they start.
    pub(super) fn take_due(&mut self, executor: &str, most: usize, now: DateTime<Utc>) -> Vec<JobId> {
        let mut due = Vec::new();
        let Some(queue) = self.waiting.get_mut(executor) else { return due };
        let mut emptied = Vec::new();
        for (priority, waiting) in queue.iter_mut() {
            if due.len() == most {
                break;
            }
            while due.len() < most
                && let Some(first) = waiting.first()
                && first.0 <= now
                && let Some((_, id)) = waiting.pop_first()
            {
                due.push(id);
            }
            if waiting.is_empty() {
                emptied.push(*priority);
            }
        }
        for priority in emptied {
            queue.remove(&priority);
        }
        due
    }

    /// Up to `most` due jobs of an executor, in the order in which they start.
    pub(super) fn first_due_jobs(&self, executor: &str, most: usize, now: DateTime<Utc>) -> Vec<JobId> {
        let lines = self.waiting.get(executor).into_iter().flat_map(BTreeMap::values);
        lines.flat_map(|waiting| waiting.range(..=(now, LAST))).take(most).map(|(_, id)| *id).collect()
    }

    /// Up to `most` due jobs of each priority of an executor, each in the order in which they start.
    pub(super) fn first_due_of_priorities(&self, executor: &str, most: usize, now: DateTime<Utc>) -> Vec<JobId> {
        let lines = self.waiting.get(executor).into_iter().flat_map(BTreeMap::values).take(MAX_STEPS);
        lines.flat_map(|waiting| waiting.range(..=(now, LAST)).take(most)).map(|(_, id)| *id).collect()
    }

    /// When the first waiting job of an executor is, or was, due.
    pub(super) fn first_due(&self, executor: &str) -> Option<DateTime<Utc>> {
        self.waiting.get(executor)?.values().filter_map(|waiting| waiting.first()).map(|first| first.0).min()
    }

    /// The executors that have waiting jobs, and how many.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&ExecutorName, usize)> {
        let count = |queue: &Queue| queue.values().map(BTreeSet::len).sum::<usize>();
        self.waiting.iter().map(move |(executor, queue)| (executor, count(queue))).filter(|(_, jobs)| *jobs > 0)
    }

    /// When the next job of an executor that is not due yet becomes so.
    pub(super) fn next_due(&self, executor: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first_after =
            |waiting: &BTreeSet<(DateTime<Utc>, JobId)>| waiting.range((now, LAST)..).next().map(|first| first.0);
        self.waiting.get(executor)?.values().filter_map(first_after).min()
    }

    /// What runs, node by node, in the order of the jobs' numbers.
    pub(super) fn executing(&self) -> Vec<(NodeId, JobId)> {
        let mut runs: Vec<_> = self.executing.iter().copied().collect();
        runs.sort_unstable();
        runs
    }

    /// What runs on a node, in the order of the jobs' numbers.
    pub(super) fn runs(&self, node: NodeId) -> Vec<JobId> {
        let mut runs: Vec<_> = self.executing.iter().filter(|run| run.0 == node).map(|run| run.1).collect();
        runs.sort_unstable();
        runs
    }

    /// How many jobs of an executor wait, whenever they are due.
    pub(super) fn pending(&self, executor: &str) -> usize {
        self.waiting.get(executor).map_or(0, |queue| queue.values().map(BTreeSet::len).sum())
    }

    /// The jobs with this key, the newest first.
    pub(super) fn unique(&self, key: &UniqueKey) -> impl Iterator<Item = JobId> {
        self.unique.get(key).into_iter().flat_map(|ids| ids.iter().rev().copied())
    }
}

fn waiting_deadline(row: &JobRow) -> Option<(DateTime<Utc>, JobId)> {
    let waits = row.status.is_pending() || row.status == JobStatus::Blocked;
    row.deadline().filter(|_| waits).map(|deadline| (deadline, row.id))
}
