//! What goes wrong in a backend.

use std::{error::Error, fmt};

use super::{
    id::{ExecutorName, FlowId, JobId},
    status::JobStatus,
};

/// What a backend's operation gives.
pub type Result<T, E = BackendError> = std::result::Result<T, E>;

type Source = Box<dyn Error + Send + Sync>;

/// An operation that the backend could not carry out.
///
/// The driver's own error is behind [`source`](Error::source).
pub struct BackendError {
    message: String,
    transient: bool,
    source: Option<Source>,
    /// Whose queue is full, and how many jobs may wait in it.
    full: Option<Box<(ExecutorName, usize)>>,
}

crate::debug_as_sentence!(BackendError);

impl BackendError {
    /// A failure that passes by itself: the same call may succeed later.
    pub fn transient(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self { message: message.into(), transient: true, source: Some(source.into()), full: None }
    }

    /// A failure that the same call will meet again.
    pub fn permanent(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self { message: message.into(), transient: false, source: Some(source.into()), full: None }
    }

    /// A failure that nothing lies behind.
    pub fn message(message: impl Into<String>) -> Self {
        Self { message: message.into(), transient: false, source: None, full: None }
    }

    /// What a backend says of a job for which there is no room: `max_pending` of its executor's jobs wait. It is transient.
    pub fn of_full_queue(executor: ExecutorName, max_pending: usize) -> Self {
        let message = format!("the queue of `{executor}` is full: {max_pending} of its jobs wait, and no more may");
        Self { message, transient: true, source: None, full: Some(Box::new((executor, max_pending))) }
    }

    /// What a backend says of a call that no queue has room for, however empty it is.
    pub fn of_small_queue(executor: &ExecutorName, max_pending: usize, jobs: usize) -> Self {
        Self::message(format!(
            "the call has {jobs} jobs of `{executor}`, of which {max_pending} may wait (`max_pending`): enqueue fewer at once"
        ))
    }

    /// Whose queue is full, and how many jobs may wait in it, if that is what it is about.
    pub fn queue_full(&self) -> Option<(&ExecutorName, usize)> {
        self.full.as_deref().map(|(executor, max_pending)| (executor, *max_pending))
    }

    /// What a backend says that is asked for something it cannot do.
    pub fn unsupported(backend: &str, capability: &str) -> Self {
        Self::message(format!("`{backend}` cannot do this: it has no {capability}"))
    }

    /// What a backend says of a condition that cannot be asked.
    pub fn filter(error: super::FilterError) -> Self {
        Self::permanent("could not read jobs", error)
    }

    /// Whether the same call may succeed later: the database is away, busy, or refused this one transaction.
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for BackendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Why a stored job could not be cancelled, rerun, released or updated.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum AmendError {
    /// No job of this executor has this number.
    #[error("no job {0} of this executor")]
    NotFound(JobId),
    /// A job in this status cannot be changed in this way.
    #[error("job {id} is {status} and cannot be {verb}")]
    Refused {
        /// The job.
        id: JobId,
        /// Where it stands.
        status: JobStatus,
        /// What was asked: `cancelled`, `rerun`, `released`, `updated`, `deleted`, `signalled` or `forked`.
        verb: &'static str,
    },
    /// It is a task of a workflow that waits for those before it, and is not released before they have ended.
    #[error(
        "job {id} is the task `{task}` of workflow {workflow} and waits for the tasks before it, so that it cannot be released: skip it with \
         `WorkflowHandle::skip`, or cancel it"
    )]
    WaitsForTasks {
        /// The job.
        id: JobId,
        /// What it is called in its workflow.
        task: String,
        /// The workflow.
        workflow: FlowId,
    },
    /// It is unique, and another job with the same key is in the way. Nothing was changed.
    #[error("job {id} cannot be {verb}: it is unique, and job {existing} has the same key")]
    Duplicate {
        /// The job.
        id: JobId,
        /// The newest one in its way.
        existing: JobId,
        /// What was asked: `rerun` or `updated`.
        verb: &'static str,
    },
    /// No step of this name is recorded of the job.
    #[error("job {id} has no recorded step `{step}`")]
    NoStep {
        /// The job.
        id: JobId,
        /// The name that was asked for.
        step: String,
    },
    /// The backend failed.
    #[error("could not change the job")]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(AmendError);

impl AmendError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Backend(error) if error.is_transient())
    }
}
