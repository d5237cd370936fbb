//! Ending a run together with something else: in the application's transaction, or with the jobs that follow.

use std::{
    any::Any,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::TimeDelta;
use serde::Serialize;

use super::job_context::JobContext;
use crate::{
    backend::settle_in,
    model::{BackendError, ErrorType, Failure, NewJob, Outcome, Settlement},
    validate::{self, InvalidJob},
};

/// What a run ends together with.
#[derive(Debug, Default)]
pub(crate) struct Together {
    /// What is stored when it succeeds.
    jobs: Mutex<Vec<NewJob>>,
    /// Whether a transaction was told that it is complete.
    is_in_transaction: AtomicBool,
}

/// How many jobs a run may store when it succeeds.
const MOST_JOBS: usize = 10_000;

impl JobContext {
    /// Completes the job inside a transaction of the application's, on the database that holds the jobs: it is complete, with this
    /// output, if and only if the transaction commits. So what the job does in the same database is done exactly once, however often
    /// the job runs. Commit it, and return `Ok`; a job that returns `Ok` and has not committed has failed that attempt.
    ///
    /// The transaction is one that a pool has begun: an `sqlx::Transaction<'static, Postgres>` or `<'static, Sqlite>`. On SQLite begin
    /// it with `BEGIN IMMEDIATE`. The output is what the executor [gives](crate::executor::HasOutput): `&()` for nothing. Jobs that
    /// were given to [`enqueue_on_success`](Self::enqueue_on_success) before are stored in it, too. Until the transaction ends nobody can
    /// cancel the job: do this last.
    ///
    /// # Errors
    ///
    /// [`CompleteError::Stale`] when the run is not the job's any more, because another node has taken it over, or when it is asked to
    /// stop: then return the error, so that the transaction rolls back. When the output cannot be stored, the transaction is on
    /// another database or of another kind, or the database fails.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the transaction may or may not complete the job: roll it back.
    pub async fn complete_in<T: Any + Send, O: Serialize + Sync + ?Sized>(
        &self,
        transaction: &mut T,
        output: &O,
    ) -> Result<(), CompleteError> {
        let backend = self.backend().ok_or(CompleteError::Stale)?;
        let json = serde_json::to_string(output).map_err(CompleteError::Encode)?;
        let outcome = match self.kept() {
            None => Outcome::complete(false),
            Some(most) => {
                validate::output(&json, most).map_err(CompleteError::Output)?;
                // Nothing is stored of a job that gives nothing.
                if json == "null" { Outcome::complete(true) } else { Outcome::complete_with(json) }
            }
        };
        let jobs = self.together().jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let settlement = Settlement::new(self.job_id(), self.lease(), outcome.and_enqueue(jobs));
        // Before anything can come of it.
        self.together().is_in_transaction.store(true, Ordering::Relaxed);
        match settle_in(&**backend)?.settle_in(transaction, settlement).await? {
            true => Ok(()),
            false => Err(CompleteError::Stale),
        }
    }

    /// Stores a job in the very step that completes this one: once if this job succeeds, however many attempts it takes, and not at all
    /// if it does not. A builder's [`encode`](crate::job::builder::JobBuilder::encode) makes it.
    ///
    /// ```
    /// use rexecutor::{job::builder::EnqueueError, prelude::*};
    ///
    /// #[job]
    /// async fn ship(order: u32) {
    ///     println!("order {order} is shipped");
    /// }
    ///
    /// #[job]
    /// async fn charge(order: u32, context: JobContext) -> Result<(), EnqueueError> {
    ///     context.enqueue_on_success(Ship::builder().with_data(order).encode()?)?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// How many of its executor's jobs wait is not asked.
    ///
    /// # Errors
    ///
    /// When the job is unique: whether it may be stored is decided by a step that can wait for others, and this one cannot. When there
    /// are more than 10,000 of them.
    pub fn enqueue_on_success(&self, mut job: NewJob) -> Result<(), InvalidJob> {
        if job.unique.is_some() {
            return Err(InvalidJob::new(
                "unique",
                "a unique job cannot be stored in the step that completes another: enqueue it before, or enqueue one that is not \
                 unique",
            ));
        }
        job.extras.set(|extra| &mut extra.max_pending, None);
        let mut jobs = self.together().jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= MOST_JOBS {
            return Err(InvalidJob::new(
                "jobs",
                format!("one job enqueues more than {MOST_JOBS} others when it succeeds"),
            ));
        }
        jobs.push(job);
        Ok(())
    }

    /// The outcome of the run, by what it ends together with.
    pub(crate) fn ended(&self, outcome: Outcome, backoff: TimeDelta) -> Outcome {
        let Some(together) = self.has_together() else { return outcome };
        match outcome {
            Outcome::Complete { .. } if together.is_in_transaction.load(Ordering::Relaxed) => {
                let problem = "it returned Ok, and the transaction in which it was to complete was not committed";
                Outcome::settled_in_transaction(
                    validate::clamp(backoff),
                    Failure::new(ErrorType::from("uncommitted".to_owned()), problem),
                )
            }
            outcome => {
                outcome.and_enqueue(std::mem::take(&mut *together.jobs.lock().unwrap_or_else(PoisonError::into_inner)))
            }
        }
    }
}

/// Why a job could not be completed in a transaction: return it, so that the transaction rolls back.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum CompleteError {
    /// The run is not the job's any more, or it is asked to stop.
    #[error("the job is not this run's to complete any more: another node has taken it over, or it is asked to stop")]
    Stale,
    /// The output does not encode as JSON.
    #[error("could not encode the job's output")]
    Encode(#[source] serde_json::Error),
    /// The output cannot be stored.
    #[error("{0}")]
    Output(String),
    /// The database failed, or the backend cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(CompleteError);

impl CompleteError {
    /// Whether another attempt may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Backend(error) if error.is_transient())
    }
}
