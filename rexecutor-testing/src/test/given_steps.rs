//! Steps of a job that is stored nowhere: what a test gives, and what the run records.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{AmendError, Result, Signalled, StepAction, StepChange, StepKind, StepLog, StepRow},
    job::{ExecutorName, JobId, Lease},
};
use serde::Serialize;

/// What is recorded of the steps of one job.
pub(super) struct GivenSteps(Mutex<Vec<StepRow>>);

impl GivenSteps {
    pub(super) fn new(steps: Vec<StepRow>) -> Self {
        Self(Mutex::new(steps))
    }
}

/// A step that is over, with this result.
#[track_caller]
pub(super) fn given<T: Serialize + ?Sized>(kind: StepKind, name: &str, result: &T) -> StepRow {
    let mut row = StepRow::new(kind, name);
    match serde_json::to_string(result) {
        Ok(output) => (row.output, row.done_at) = (Some(output), Some(DateTime::<Utc>::UNIX_EPOCH)),
        Err(error) => panic!("the result of `{name}` does not encode: {error}"),
    }
    row
}

impl StepLog for GivenSteps {
    fn steps<'a>(&'a self, _job: JobId) -> BoxFuture<'a, Result<Vec<StepRow>>> {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move { Ok(steps) })
    }

    fn step<'a>(&'a self, _job: JobId, _lease: Lease, change: StepChange) -> BoxFuture<'a, Result<Option<StepRow>>> {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |row: &StepRow| (row.kind, &row.name) == (change.kind(), &change.name);
        let stored = steps.iter().position(is_it).map(|at| steps.remove(at));
        let mut row = change.apply(stored, DateTime::UNIX_EPOCH);
        if let StepAction::Sleep(_) = change.action {
            row.done_at = row.until;
        }
        steps.push(row.clone());
        Box::pin(async move { Ok(Some(row)) })
    }

    fn signal<'a>(
        &'a self,
        _executor: &'a ExecutorName,
        job: JobId,
        _name: &'a str,
        _value: String,
    ) -> BoxFuture<'a, Result<Signalled, AmendError>> {
        Box::pin(async move { Err(AmendError::NotFound(job)) })
    }

    fn fork<'a>(
        &'a self,
        _executor: &'a ExecutorName,
        job: JobId,
        _from: &'a str,
    ) -> BoxFuture<'a, Result<JobId, AmendError>> {
        Box::pin(async move { Err(AmendError::NotFound(job)) })
    }
}
