//! Why nothing could be done with a flow.

use crate::model::{BackendError, FlowId};

/// Why nothing could be done with a flow: a batch.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// There is none with this number; or it has ended, and all of its jobs were pruned.
    #[error("there is no batch {0}")]
    NotFound(FlowId),
    /// It has ended, so that no jobs can be added to it.
    #[error(
        "batch {0} has finished, and takes no more jobs: begin another one, or add jobs from inside of a job of the batch"
    )]
    Finished(FlowId),
    /// It was cancelled, so that no jobs can be added to it.
    #[error("batch {0} was cancelled, and takes no more jobs")]
    Cancelled(FlowId),
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(FlowError);

impl FlowError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Backend(error) if error.is_transient())
    }
}
