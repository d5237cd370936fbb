//! Why a job could not be enqueued.

use crate::{
    global::NoGlobalBackend,
    model::{BackendError, ExecutorName},
    validate::InvalidJob,
};

/// Why a job could not be enqueued.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// No global backend is set.
    #[error(transparent)]
    NoGlobalBackend(#[from] NoGlobalBackend),
    /// The data or the metadata do not encode as JSON.
    #[error("could not encode the {field} of a `{executor}` job as JSON")]
    Encode {
        /// Whose job it was to be.
        executor: &'static str,
        /// `data` or `metadata`.
        field: &'static str,
        /// What the encoder says.
        source: serde_json::Error,
    },
    /// A field is not acceptable.
    #[error(transparent)]
    Invalid(#[from] InvalidJob),
    /// A hook of [`middleware::on_enqueue`](crate::middleware::on_enqueue), or the job's own
    /// [middleware](crate::Executor::middleware), refused the job.
    #[error("a `{executor}` job was refused before it was enqueued")]
    Refused {
        /// Whose job it was to be.
        executor: &'static str,
        /// The error that the hook gave, or what it said when it panicked.
        #[source]
        reason: Box<dyn std::error::Error + Send + Sync>,
    },
    /// As many jobs of the executor wait as may; see [`Executor::MAX_PENDING`](crate::Executor::MAX_PENDING).
    #[error("the queue of `{executor}` is full: {max_pending} of its jobs wait, and no more may (`max_pending`)")]
    QueueFull {
        /// Whose jobs.
        executor: ExecutorName,
        /// How many may wait.
        max_pending: usize,
    },
    /// The backend failed.
    #[error("could not store the job")]
    Backend(#[source] BackendError),
}

impl From<BackendError> for EnqueueError {
    fn from(error: BackendError) -> Self {
        match error.queue_full() {
            Some((executor, max_pending)) => Self::QueueFull { executor: executor.clone(), max_pending },
            None => Self::Backend(error),
        }
    }
}

crate::debug_as_sentence!(EnqueueError);

impl EnqueueError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Backend(error) => error.is_transient(),
            Self::QueueFull { .. } => true,
            Self::NoGlobalBackend(_) | Self::Encode { .. } | Self::Invalid(_) | Self::Refused { .. } => false,
        }
    }
}
