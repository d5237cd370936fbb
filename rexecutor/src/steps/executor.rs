//! What can be done with the steps of stored jobs: signals, forks, and looking at them.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    backend::{self, Backend, Signalled, StepKind, StepRow},
    executing::Executor,
    global,
    manage::{JobsError, name_of},
    model::JobId,
    validate,
};

/// What can be done with the [steps](crate::steps) of an executor's jobs: every executor has it.
///
/// `use rexecutor::prelude::*;` brings it into scope.
pub trait StepsExt: Executor + Sized {
    /// Sends a signal to a job, which [waits](super::Steps::wait_for) for it or will. From any process, at any time until the job is
    /// finished.
    ///
    /// Of several signals of one name to a job the first stands, so that sending it again changes nothing. A job that waits for it goes
    /// on at once, on any node.
    ///
    /// # Errors
    ///
    /// When no global backend is set, no job of this executor has this number, it is finished, the name or the value is not acceptable,
    /// or the backend fails.
    fn signal<V: Serialize + Sync + ?Sized>(
        job: impl Into<JobId> + Send,
        name: &str,
        value: &V,
    ) -> impl Future<Output = Result<Signalled, JobsError>> + Send {
        let job = job.into();
        async move { Self::signal_on_backend(job, name, value, &*global::backend()?).await }
    }

    /// [`signal`](Self::signal) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When no job of this executor has this number, it is finished, the name or the value is not acceptable, or the backend fails.
    fn signal_on_backend<V: Serialize + Sync + ?Sized, B: Backend + ?Sized>(
        job: impl Into<JobId> + Send,
        name: &str,
        value: &V,
        backend: &B,
    ) -> impl Future<Output = Result<Signalled, JobsError>> + Send {
        let job = job.into();
        async move { signal::<Self, _, _>(job, name, value, backend).await }
    }

    /// Enqueues a finished job anew, as a job of its own that keeps the results of the steps before `from`, and does that step and those
    /// behind it again. Returns the new job's number.
    ///
    /// It has the data, the metadata, the priority, the attempts and the tags of the old one, and is due at once; it is not unique.
    ///
    /// # Errors
    ///
    /// When no global backend is set, no job of this executor has this number, it is not finished, no step of this name is recorded of
    /// it, or the backend fails.
    fn fork(job: impl Into<JobId> + Send, from: &str) -> impl Future<Output = Result<JobId, JobsError>> + Send {
        let job = job.into();
        async move { Self::fork_on_backend(job, from, &*global::backend()?).await }
    }

    /// [`fork`](Self::fork) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When no job of this executor has this number, it is not finished, no step of this name is recorded of it, or the backend fails.
    fn fork_on_backend<B: Backend + ?Sized>(
        job: impl Into<JobId> + Send,
        from: &str,
        backend: &B,
    ) -> impl Future<Output = Result<JobId, JobsError>> + Send {
        let job = job.into();
        async move { Ok(backend::step_log(backend)?.fork(&name_of::<Self, B>(job, backend).await?, job, from).await?) }
    }

    /// The steps that a job has come to, in their order.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails.
    fn steps(job: impl Into<JobId> + Send) -> impl Future<Output = Result<Vec<RecordedStep>, JobsError>> + Send {
        let job = job.into();
        async move { Self::steps_on_backend(job, &*global::backend()?).await }
    }

    /// [`steps`](Self::steps) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the backend fails.
    fn steps_on_backend<B: Backend + ?Sized>(
        job: impl Into<JobId> + Send,
        backend: &B,
    ) -> impl Future<Output = Result<Vec<RecordedStep>, JobsError>> + Send {
        let job = job.into();
        async move {
            let rows = backend::step_log(backend)?.steps(job).await?;
            Ok(rows.into_iter().map(RecordedStep::from).collect())
        }
    }
}

impl<E: Executor> StepsExt for E {}

/// What is recorded of a step of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedStep {
    /// `run`, `sleep`, `wait` or `version`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// When a sleep, or a wait with a time limit, is over.
    pub until: Option<DateTime<Utc>>,
    /// What it gave, as JSON: a result, a signal's value, a version.
    pub output: Option<String>,
    /// When it was over; `None`: it is not.
    pub done_at: Option<DateTime<Utc>>,
}

impl From<StepRow> for RecordedStep {
    fn from(row: StepRow) -> Self {
        let StepRow { kind, name, until, output, done_at, .. } = row;
        Self { kind: StepKind::as_str(kind), name, until, output, done_at }
    }
}

/// Sends a signal to a job of the executor of this name.
pub(super) async fn signal<E: Executor, V: Serialize + Sync + ?Sized, B: Backend + ?Sized>(
    job: JobId,
    name: &str,
    value: &V,
    backend: &B,
) -> Result<Signalled, JobsError> {
    validate::step_name(name)?;
    let value = serde_json::to_string(value).map_err(|error| JobsError::Encode(E::NAME, error))?;
    validate::step_output(&value)?;
    Ok(backend::step_log(backend)?.signal(&name_of::<E, B>(job, backend).await?, job, name, value).await?)
}
