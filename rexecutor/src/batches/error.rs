//! Why a batch could not be enqueued, looked at or changed.

use std::time::Duration;

use crate::{
    backend::flows::{FlowError, FlowKind},
    builder::EnqueueError,
    global::NoGlobalBackend,
    model::{BackendError, FlowId},
    validate::InvalidJob,
};

/// Why a batch could not be enqueued, looked at or changed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// No global backend is set.
    #[error(transparent)]
    NoGlobalBackend(#[from] NoGlobalBackend),
    /// The name of the batch, a threshold or a callback is not acceptable.
    #[error(transparent)]
    Invalid(#[from] InvalidJob),
    /// One of its jobs is not acceptable, or they could not be stored.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    /// There is no such batch, or it takes no more jobs.
    #[error(transparent)]
    Flow(FlowError),
    /// The batch has not finished within the time limit; it goes on.
    #[error("batch {batch} has not finished within {limit:?}")]
    TimedOut {
        /// The batch.
        batch: FlowId,
        /// For how long it was waited for.
        limit: Duration,
    },
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(BatchError);

impl From<FlowError> for BatchError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Backend(error) => Self::Enqueue(error.into()),
            error => Self::Flow(error.of(FlowKind::Batch)),
        }
    }
}

impl BatchError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Enqueue(error) => error.is_transient(),
            Self::Flow(error) => error.is_transient(),
            Self::Backend(error) => error.is_transient(),
            Self::TimedOut { .. } => true,
            Self::NoGlobalBackend(_) | Self::Invalid(_) => false,
        }
    }
}
