//! Whether executors that share a limit keep to it, and use it.

use chrono::{DateTime, Utc};
use rexecutor::{
    Executor,
    backend::{Demand, JobRow, lifecycle},
    job::{ExecutorName, JobId, JobStatus},
};

use super::jobs::{DOOR, Narrow, Timed};

/// Those that share it.
pub(super) const SHARERS: [&str; 2] = [Narrow::NAME, Timed::NAME];

/// What a claim may take of them.
#[derive(Debug)]
pub(super) struct Shares {
    /// How many more may run.
    free: usize,
    /// The due jobs of each that is asked for, in their order, as many as are asked for.
    due: Vec<(ExecutorName, Vec<JobId>)>,
}

fn running(rows: &[JobRow]) -> usize {
    let runs = |row: &&JobRow| SHARERS.contains(&row.executor.as_str()) && row.status == JobStatus::Executing;
    rows.iter().filter(runs).count()
}

impl Shares {
    pub(super) fn of<'d>(demands: impl Iterator<Item = &'d Demand>, rows: &[JobRow], now: DateTime<Utc>) -> Self {
        let due = |demand: &Demand| {
            let is_due = |row: &&JobRow| row.executor == demand.executor && lifecycle::is_due(row, now);
            let mut due: Vec<&JobRow> = rows.iter().filter(is_due).collect();
            due.sort_unstable_by_key(|row| (row.priority, row.scheduled_at, row.id));
            (demand.executor.clone(), due.iter().take(demand.limit).map(|row| row.id).collect())
        };
        let due = demands.filter(|demand| SHARERS.contains(&demand.executor.as_str())).map(due).collect();
        Self { free: DOOR.max_running().unwrap_or_default().saturating_sub(running(rows)), due }
    }

    /// What is wrong with a claim that has given these jobs.
    pub(super) fn check(&self, claimed: &[JobRow]) -> Option<String> {
        let of = |name: &ExecutorName| {
            claimed.iter().filter(|row| row.executor == *name).map(|row| row.id).collect::<Vec<JobId>>()
        };
        if let Some((name, due)) = self.due.iter().find(|(name, due)| !due.starts_with(&of(name))) {
            return Some(format!("of {name} {:?} were claimed, and {due:?} were next", of(name)));
        }
        let count = claimed.iter().filter(|row| SHARERS.contains(&row.executor.as_str())).count();
        let wanted = self.free.min(self.due.iter().map(|(_, due)| due.len()).sum());
        (count != wanted).then(|| format!("{count} jobs were claimed that share a limit, and {wanted} could be"))
    }
}
