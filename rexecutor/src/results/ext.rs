//! What can be asked of the jobs of an executor that have an output.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{
    end,
    error::OutputError,
    outcome,
    wait::{Begin, Wait},
};
use crate::{
    backend::{Backend, Inspect},
    builder::JobBuilder,
    executing::HasOutput,
    global,
    model::{JobHandle, JobStatus},
};

/// What became of the jobs of an executor: every one that [says what its jobs give](HasOutput) has it, as each `#[job]` does.
///
/// `use rexecutor::prelude::*;` brings it into scope. A job is named by its [handle](JobHandle), which enqueuing gives, or by its
/// number.
pub trait OutputExt: HasOutput + Sized {
    /// What a job gave; `None` while it is not complete, and if there is no such job of this executor.
    ///
    /// # Errors
    ///
    /// When no global backend is set, what is stored does not decode as this version's type, or the backend fails.
    fn output(
        job: impl Into<JobHandle<Self>> + Send,
    ) -> impl Future<Output = Result<Option<Self::Output>, OutputError>> + Send
    where
        Self::Output: DeserializeOwned,
    {
        async move { Self::output_on_backend(job, &*global::backend()?).await }
    }

    /// [`output`](Self::output) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When what is stored does not decode as this version's type, or the backend fails.
    fn output_on_backend<B: Inspect + ?Sized>(
        job: impl Into<JobHandle<Self>> + Send,
        backend: &B,
    ) -> impl Future<Output = Result<Option<Self::Output>, OutputError>> + Send
    where
        Self::Output: DeserializeOwned,
    {
        let job = job.into().id();
        async move {
            match end::find::<Self, B>(backend, job).await? {
                Some(row) if row.status == JobStatus::Complete => outcome::output::<Self, _>(&row).map(Some),
                _ => Ok(None),
            }
        }
    }

    /// Waits until a job has ended, and says how: with its output, if it is complete.
    ///
    /// It is woken by the job's end, also in another process: within milliseconds on PostgreSQL, and within the interval at which
    /// an SQLite file is [looked at](https://docs.rs/rexecutor-sqlx). Any number of callers share one listener. Nothing is asked
    /// of jobs that nobody waits for; one that is waited for takes two statements more.
    ///
    /// Give it a time limit with [`within`](Wait::within). It needs a tokio runtime with timers.
    ///
    /// # Errors
    ///
    /// When no global backend is set, the time limit is over, what is stored does not decode as this version's type, or the
    /// backend fails for good or cannot do this.
    fn wait(job: impl Into<JobHandle<Self>>) -> Wait<Self> {
        Wait::new(Begin::Stored(job.into().id()), global::backend())
    }

    /// [`wait`](Self::wait) on a backend of your choice, of which a clone is held meanwhile: a backend that cannot be cloned is
    /// given in an [`Arc`].
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), but for the global backend.
    fn wait_on_backend<B: Backend + Clone>(job: impl Into<JobHandle<Self>>, backend: &B) -> Wait<Self> {
        Wait::new(Begin::Stored(job.into().id()), Ok(Arc::new(backend.clone())))
    }

    /// Enqueues a job on the global backend and waits until it has ended. A unique job that finds another one in its way waits for
    /// that one.
    ///
    /// Somebody must run it: a node in this process or in another. A job that runs its own kind and waits for it takes two slots.
    ///
    /// # Errors
    ///
    /// When the job cannot be enqueued, and as [`wait`](Self::wait).
    fn run(data: Self::Data) -> Wait<Self> {
        Wait::new(Begin::New(encoded::<Self>(data)), global::backend())
    }

    /// [`run`](Self::run) on a backend of your choice, of which a clone is held meanwhile.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), but for the global backend.
    fn run_on_backend<B: Backend + Clone>(data: Self::Data, backend: &B) -> Wait<Self> {
        Wait::new(Begin::New(encoded::<Self>(data)), Ok(Arc::new(backend.clone())))
    }
}

impl<E: HasOutput> OutputExt for E {}

fn encoded<E: HasOutput>(data: E::Data) -> Result<Box<crate::model::NewJob>, crate::builder::EnqueueError> {
    JobBuilder::<E>::new().with_data(data).encode().map(Box::new)
}
