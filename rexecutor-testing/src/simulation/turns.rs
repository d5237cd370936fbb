//! Whether keys take turns, no more of one run than may, and lines keep their order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rexecutor::{
    Executor,
    backend::{Demand, JobRow, lifecycle},
    job::{JobId, JobStatus},
};

use super::jobs::{Keyed, OF_A_KEY, Ordered};

type Key = Option<String>;

/// How often others were served while a key could have been.
#[derive(Debug, Default)]
pub(super) struct Turns {
    passed: BTreeMap<Key, BTreeMap<Key, usize>>,
}

/// What a claim may take.
#[derive(Debug)]
pub(super) struct Claimable {
    pub(super) executor: &'static str,
    most: usize,
    /// The due jobs of each key that has room, in their order, as many as it has room for.
    keys: BTreeMap<Key, Vec<JobId>>,
}

impl Claimable {
    /// What these demands may take of these rows, where keys take turns.
    pub(super) fn of<'d>(demands: impl Iterator<Item = &'d Demand>, rows: &[JobRow], now: DateTime<Utc>) -> Vec<Self> {
        let of_one = |demand: &Demand| {
            let of = |row: &&JobRow| row.executor == demand.executor;
            match demand.executor.as_str() {
                Keyed::NAME => Some(Self::of_keys(demand.limit, rows.iter().filter(of).collect(), now)),
                Ordered::NAME => Some(Self::of_lines(demand.limit, rows.iter().filter(of).collect(), now)),
                _ => None,
            }
        };
        demands.filter_map(of_one).collect()
    }

    /// The head of each line that can start: of the jobs that are not finished, and those that halt it, the one with the lowest
    /// number, if it is due and no other one runs.
    fn of_lines(most: usize, rows: Vec<&JobRow>, now: DateTime<Utc>) -> Self {
        let mut lines = BTreeMap::<Key, Vec<&JobRow>>::new();
        for row in rows.into_iter().filter(|row| row.stands_in_line()) {
            lines.entry(row.extras.group_key.clone()).or_default().push(row);
        }
        let head = |(key, line): (Key, Vec<&JobRow>)| {
            let is_busy = line.iter().any(|row| row.status == JobStatus::Executing);
            let head = line.into_iter().min_by_key(|row| row.id)?;
            (!is_busy && lifecycle::is_due(head, now)).then(|| (key, vec![head.id]))
        };
        Self { executor: Ordered::NAME, most, keys: lines.into_iter().filter_map(head).collect() }
    }

    fn of_keys(most: usize, mut rows: Vec<&JobRow>, now: DateTime<Utc>) -> Self {
        rows.sort_unstable_by_key(|row| (row.priority, row.scheduled_at, row.id));
        let mut keys = BTreeMap::<Key, Vec<JobId>>::new();
        for row in rows.iter().filter(|row| lifecycle::is_due(row, now)) {
            keys.entry(row.extras.group_key.clone()).or_default().push(row.id);
        }
        for (key, due) in &mut keys {
            let is_run = |row: &&&JobRow| row.status == JobStatus::Executing && row.extras.group_key == *key;
            due.truncate(OF_A_KEY.saturating_sub(rows.iter().filter(is_run).count()));
        }
        keys.retain(|_, due| !due.is_empty());
        Self { executor: Keyed::NAME, most, keys }
    }
}

impl Turns {
    /// What is wrong with a claim that has given these jobs.
    pub(super) fn check(&mut self, before: &Claimable, claimed: &[JobRow]) -> Option<String> {
        let mut served = BTreeMap::<Key, Vec<JobId>>::new();
        for row in claimed.iter().filter(|row| row.executor.as_str() == before.executor) {
            served.entry(row.extras.group_key.clone()).or_default().push(row.id);
        }
        for (key, ids) in &served {
            let due = before.keys.get(key).map(Vec::as_slice).unwrap_or_default();
            if !due.starts_with(ids) {
                return Some(format!("of the key {key:?} {ids:?} were claimed, and {due:?} were next"));
            }
        }
        let count: usize = served.values().map(Vec::len).sum();
        let wanted = before.most.min(before.keys.values().map(Vec::len).sum());
        if count != wanted {
            return Some(format!("{count} jobs with a key were claimed, and {wanted} could be"));
        }
        let is_passed = |key: &Key| before.keys.contains_key(key) && !served.contains_key(key);
        self.passed.retain(|key, _| is_passed(key));
        for key in before.keys.keys().filter(|key| is_passed(key)) {
            let passed = self.passed.entry(key.clone()).or_default();
            for (other, ids) in &served {
                let times = passed.entry(other.clone()).or_default();
                *times += ids.len();
                if *times > 1 {
                    return Some(format!("the key {other:?} was served {times} times while {key:?} waited"));
                }
            }
        }
        None
    }
}
