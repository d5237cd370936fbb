//! Steps and signals.

use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready, store::Store};
use crate::{
    backend::{
        lifecycle,
        steps::{Signalled, StepChange, StepKind, StepLog, StepRow},
    },
    model::{AmendError, ExecutorName, JobId, JobRow, JobStatus, Lease, Marks, Result},
};

impl Store {
    fn step_of(&self, job: JobId, kind: StepKind, name: &str) -> Option<StepRow> {
        self.steps.get(&job)?.iter().find(|row| row.kind == kind && row.name == name).cloned()
    }

    fn put_step(&mut self, job: JobId, row: StepRow) {
        let rows = self.steps.entry(job).or_default();
        rows.retain(|known| (known.kind, &known.name) != (row.kind, &row.name));
        rows.push(row);
        StepRow::sort(rows);
        let _ = self.change(job, |row| row.marks = row.marks.with(Marks::STEPS));
    }

    fn job_of(&self, executor: &ExecutorName, job: JobId) -> Result<&JobRow, AmendError> {
        let row = self.rows.get(&job).map(|stored| &stored.row).filter(|row| row.executor == *executor);
        row.ok_or(AmendError::NotFound(job))
    }
}

impl StepLog for InMemoryBackend {
    fn steps<'a>(&'a self, job: JobId) -> BoxFuture<'a, Result<Vec<StepRow>>> {
        ready(Ok(self.store().0.steps.get(&job).cloned().unwrap_or_default()))
    }

    fn step<'a>(&'a self, job: JobId, lease: Lease, change: StepChange) -> BoxFuture<'a, Result<Option<StepRow>>> {
        let (mut store, now) = self.store();
        let holds = |row: &JobRow| row.status == JobStatus::Executing && row.lease == lease;
        if !store.rows.get(&job).is_some_and(|stored| holds(&stored.row)) {
            return ready(Ok(None));
        }
        let row = change.apply(store.step_of(job, change.kind(), &change.name), now);
        store.put_step(job, row.clone());
        ready(Ok(Some(row)))
    }

    fn signal<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        name: &'a str,
        value: String,
    ) -> BoxFuture<'a, Result<Signalled, AmendError>> {
        let (mut store, now) = self.store();
        let mut row = match store.job_of(executor, job) {
            Ok(row) => row.clone(),
            Err(error) => return ready(Err(error)),
        };
        let is_due = match lifecycle::signal(&mut row, now) {
            Ok(is_due) => is_due,
            Err(refusal) => return ready(Err(refusal)),
        };
        let (answer, step) = StepRow::signal(store.step_of(job, StepKind::Wait, name), name, value, now);
        let Some(step) = step else { return ready(Ok(answer)) };
        let _ = store.change(job, |stored| *stored = row);
        store.put_step(job, step);
        drop(store);
        if is_due {
            self.wake([executor.clone()]);
        }
        ready(Ok(answer))
    }

    fn fork<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        from: &'a str,
    ) -> BoxFuture<'a, Result<JobId, AmendError>> {
        let (mut store, now) = self.store();
        let new = match store.job_of(executor, job).and_then(|row| lifecycle::forked(row, now)) {
            Ok(new) => new,
            Err(error) => return ready(Err(error)),
        };
        let steps = store.steps.get(&job).cloned().unwrap_or_default();
        let Some(place) = StepRow::place_of(&steps, from) else {
            return ready(Err(AmendError::NoStep { id: job, step: from.to_owned() }));
        };
        let id = store.enqueue(new, now).id();
        steps.into_iter().filter(|step| step.is_before(place)).for_each(|step| store.put_step(id, step));
        drop(store);
        self.wake([executor.clone()]);
        ready(Ok(id))
    }
}
