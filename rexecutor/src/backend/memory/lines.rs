//! Where the jobs of a key that run one after another are found in their order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    indexes::Indexes,
    keys::{around, met},
};
use crate::{
    backend::rotation::{MAX_STEPS, WINDOW, Walk},
    model::{Demand, ExecutorName, JobId, JobRow, JobStatus},
};

/// The jobs that stand in a line and do not run: by executor and key, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<ExecutorName, BTreeMap<String, BTreeSet<JobId>>>);

/// The key of a job that stands in a line and does not run.
fn key(row: &JobRow) -> Option<&String> {
    let stands = row.stands_in_line() && row.status != JobStatus::Executing;
    row.extras.group_key.as_ref().filter(|_| stands)
}

impl Lines {
    /// Adds a job, if it stands in one.
    pub(super) fn insert(&mut self, row: &JobRow) {
        if let Some(key) = key(row) {
            let lines = self.0.entry(row.executor.clone()).or_default();
            lines.entry(key.clone()).or_default().insert(row.id);
        }
    }

    /// Removes it.
    pub(super) fn remove(&mut self, row: &JobRow) {
        let Some(key) = key(row) else { return };
        let Some(lines) = self.0.get_mut(&row.executor) else { return };
        if let Some(line) = lines.get_mut(key) {
            line.remove(&row.id);
            if line.is_empty() {
                lines.remove(key);
            }
        }
    }

    fn head(&self, executor: &ExecutorName, key: &str) -> Option<JobId> {
        self.0.get(executor)?.get(key)?.first().copied()
    }
}

impl Indexes {
    /// Walks over the lines of an executor, as [`rotation`](crate::backend::rotation) says. `runs` tells how many jobs of a key
    /// do.
    pub(super) fn walk_lines<'r>(
        &self,
        demand: &Demand,
        behind: Option<&str>,
        row: impl Fn(JobId) -> Option<&'r JobRow>,
        runs: impl Fn(&str) -> usize,
        starts_at: impl Fn(&str) -> Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Walk {
        let mut walk = Walk { is_idle: true, ..Walk::default() };
        let (mut heads, mut keys) = (Vec::new(), BTreeSet::new());
        for (step, (key, line)) in around(self.lines.0.get(&demand.executor), behind).enumerate() {
            if heads.len() == demand.limit || step == MAX_STEPS {
                walk.is_partial = true;
                walk.stopped_at = walk.stopped_at.filter(|_| step == MAX_STEPS);
                break;
            }
            walk.stopped_at = Some(key.clone());
            let Some(head) = line.first().and_then(|head| row(*head)) else { continue };
            if runs(key) > 0 {
                walk.is_idle = false;
            } else if head.status.is_pending() {
                let at = starts_at(key).map_or(head.scheduled_at, |at| at.max(head.scheduled_at));
                if at <= now {
                    keys.insert(key.as_str());
                    heads.push(met(head, 1));
                    continue;
                }
                let wait = (at - now).to_std().ok();
                walk.next_in = walk.next_in.into_iter().chain(wait).min();
            }
        }
        if !walk.is_partial {
            walk.stopped_at = None;
        }
        // Those that stand in no line, as they were enqueued before their executor was ordered; and lines behind many others.
        let most = if heads.len() < demand.limit { 16 * WINDOW } else { WINDOW };
        let mut beyond = Vec::new();
        for row in self.first_due_jobs(demand.executor.as_str(), most, now).into_iter().filter_map(row) {
            let key = row.extras.group_key.as_deref();
            match (row.extras.order, key) {
                (None, _) if walk.met.len() == WINDOW => {}
                (None, None) => walk.met.push(met(row, usize::MAX)),
                (None, Some(key)) => walk.met.push(met(row, 1_usize.saturating_sub(runs(key)))),
                (Some(_), Some(key)) if !keys.contains(key) => {
                    let is_head = self.lines.head(&demand.executor, key) == Some(row.id);
                    beyond.extend((is_head && runs(key) == 0).then(|| met(row, 1)));
                }
                (Some(_), _) => {}
            }
        }
        walk.is_partial |= walk.met.len() == WINDOW;
        walk.is_idle &= walk.met.is_empty();
        walk.met.append(&mut heads);
        walk.met.append(&mut beyond);
        walk
    }
}
