//! Looking at jobs, and changing them by hand.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready};
use crate::{
    backend::{lifecycle, roles::Inspect},
    model::{AmendError, BackendError, ExecutorName, Filter, JobChange, JobId, JobRow, Result},
};

/// What a rerun does to a row.
type Rerun = fn(&mut JobRow, DateTime<Utc>) -> Result<(), AmendError>;

impl InMemoryBackend {
    fn rerun_by(&self, rerun: Rerun, executor: &ExecutorName, job: JobId) -> Result<(), AmendError> {
        let (mut store, now) = self.store();
        let rerun = |row: &mut JobRow, now| {
            let beside = lifecycle::beside_rerun(row);
            rerun(row, now).map(|()| beside)
        };
        let answer = store.amend(executor, job, "rerun", rerun, now);
        drop(store);
        self.wake([executor.clone()]);
        answer
    }
}

impl Inspect for InMemoryBackend {
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>> {
        if let Err(error) = filter.check() {
            return ready(Err(BackendError::filter(error)));
        }
        let (store, now) = self.store();
        ready(Ok(store.rows().filter(|row| filter.matches(row, now)).take(limit).cloned().collect()))
    }

    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        let (mut store, now) = self.store();
        let cancel = |row: &mut JobRow, now| lifecycle::cancel(row, reason, now).map(|()| None);
        let answer = store.amend(executor, job, "cancelled", cancel, now);
        let is_in_line = store.rows.get(&job).is_some_and(|stored| stored.row.extras.order.is_some());
        let (woken, ended) = (self.advance_flows(&mut store, now), std::mem::take(&mut store.ended));
        drop(store);
        self.wake(woken);
        if is_in_line {
            // Those behind it may start.
            self.wake([executor.clone()]);
        }
        self.listeners.each(|wakeup| wakeup.cancel(job));
        self.tell_ends(&ended);
        ready(answer)
    }

    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        ready(self.rerun_by(lifecycle::rerun, executor, job))
    }

    fn rerun_unless_complete<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        ready(self.rerun_by(lifecycle::rerun_unless_complete, executor, job))
    }

    fn release<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        let (mut store, now) = self.store();
        let release = |row: &mut JobRow, now| lifecycle::release(row, now).map(|()| None);
        let answer = store.amend(executor, job, "released", release, now);
        drop(store);
        self.wake([executor.clone()]);
        ready(answer)
    }

    fn delete<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        let answer = self.store().0.delete_by_hand(executor, job);
        self.wake([executor.clone()]);
        ready(answer)
    }

    fn update<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        change: JobChange,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        let (mut store, now) = self.store();
        let update = |row: &mut JobRow, _| {
            let beside = lifecycle::beside_update(row, &change);
            lifecycle::update(row, change).map(|()| beside)
        };
        let answer = store.amend(executor, job, "updated", update, now);
        drop(store);
        self.wake([executor.clone()]);
        ready(answer)
    }
}
