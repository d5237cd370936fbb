//! Circuit breakers.

use chrono::{DateTime, Utc};

use super::store::Store;
use crate::{
    backend::breaker::{BreakerNotice, HeldByBreaker, Verdict},
    model::{ExecutorName, JobId, JobRow, JobStatus, Marks, Settlement},
};

impl Store {
    /// Takes in what the end of a run says about its executor.
    pub(super) fn heed(
        &mut self,
        executor: &ExecutorName,
        verdict: Verdict,
        settlement: &Settlement,
        now: DateTime<Utc>,
    ) -> Option<BreakerNotice> {
        let breaker = self.breakers.entry(executor.clone()).or_default();
        let notice = breaker.heed(executor, verdict, settlement, now);
        if breaker.open.is_none() && breaker.failures.is_empty() {
            self.breakers.remove(executor);
        }
        notice
    }

    /// Closes a breaker by hand; returns whether it was open.
    pub(super) fn close_breaker(&mut self, executor: &ExecutorName) -> bool {
        self.breakers.remove(executor).is_some_and(|breaker| breaker.open.is_some())
    }

    /// What claims keep to of the breakers that are open.
    pub(super) fn open_breakers(&self) -> impl Iterator<Item = (ExecutorName, HeldByBreaker)> {
        let open = self.breakers.iter().filter_map(|(name, breaker)| Some((name, breaker.open.clone()?)));
        open.map(|(name, open)| (name.clone(), HeldByBreaker::new(open, self.is_tried(name))))
    }

    /// Whether a job that its breaker has let through is executing.
    fn is_tried(&self, executor: &ExecutorName) -> bool {
        let is_trial = |row: &JobRow| row.status == JobStatus::Executing && row.marks.contains(Marks::TRIAL);
        let runs = self.indexes.executing().into_iter().filter_map(|(_, id)| self.rows.get(&id));
        runs.map(|stored| &stored.row).any(|row| row.executor == *executor && is_trial(row))
    }

    /// Marks the claimed jobs that were let through.
    pub(super) fn mark_trials(&mut self, trials: &[JobId]) {
        for id in trials {
            self.change(*id, |row| row.marks = row.marks.with(Marks::TRIAL));
        }
    }
}
