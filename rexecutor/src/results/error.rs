//! Why nothing can be said of what became of a job.

use std::time::Duration;

use crate::{
    builder::EnqueueError,
    global::NoGlobalBackend,
    model::{BackendError, JobId},
};

/// Why nothing can be said of what became of a job.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// No global backend is set.
    #[error(transparent)]
    NoGlobalBackend(#[from] NoGlobalBackend),
    /// The job could not be enqueued.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    /// The job has not ended within the time limit; it goes on.
    #[error("job {job} has not ended within {limit:?}")]
    TimedOut {
        /// The job.
        job: JobId,
        /// For how long it was waited for.
        limit: Duration,
    },
    /// What is stored as the job's output does not decode as its type: another version of the program gave it.
    #[error("the output of job {job} does not decode as `{executor}` expects")]
    Decode {
        /// The job.
        job: JobId,
        /// Its executor.
        executor: &'static str,
        /// What the decoder says.
        source: serde_json::Error,
    },
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(OutputError);

impl OutputError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Enqueue(error) => error.is_transient(),
            Self::Backend(error) => error.is_transient(),
            Self::TimedOut { .. } => true,
            Self::NoGlobalBackend(_) | Self::Decode { .. } => false,
        }
    }
}
