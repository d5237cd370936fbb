//! Why a workflow could not be enqueued, looked at or changed.

use std::time::Duration;

use crate::{
    backend::flows::{FlowError, FlowKind},
    batches::BatchError,
    builder::EnqueueError,
    global::NoGlobalBackend,
    model::{BackendError, FlowId},
    validate::InvalidJob,
};

/// Why a workflow could not be enqueued, looked at or changed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum WorkflowError {
    /// No global backend is set.
    #[error(transparent)]
    NoGlobalBackend(#[from] NoGlobalBackend),
    /// The name of the workflow, or its deadline, is not acceptable.
    #[error(transparent)]
    Invalid(#[from] InvalidJob),
    /// The job of a task is not acceptable, or they could not be stored.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    /// The tasks are no graph, there is no such workflow, or it takes no more tasks.
    #[error(transparent)]
    Flow(FlowError),
    /// The workflow has not finished within the time limit; it goes on.
    #[error("workflow {workflow} has not finished within {limit:?}")]
    TimedOut {
        /// The workflow.
        workflow: FlowId,
        /// For how long it was waited for.
        limit: Duration,
    },
    /// What a task gave does not decode as the type that was asked for.
    #[error("what the task `{task}` gave does not decode")]
    Output {
        /// The task.
        task: String,
        /// What the decoder says.
        source: serde_json::Error,
    },
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(WorkflowError);

impl From<FlowError> for WorkflowError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Backend(error) => Self::Enqueue(error.into()),
            error => Self::Flow(error.of(FlowKind::Workflow)),
        }
    }
}

/// What is the same for batches.
impl From<BatchError> for WorkflowError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::NoGlobalBackend(error) => Self::NoGlobalBackend(error),
            BatchError::Invalid(error) => Self::Invalid(error),
            BatchError::Enqueue(error) => Self::Enqueue(error),
            BatchError::Flow(error) => Self::Flow(error.of(FlowKind::Workflow)),
            BatchError::TimedOut { batch, limit } => Self::TimedOut { workflow: batch, limit },
            BatchError::Backend(error) => Self::Backend(error),
        }
    }
}

impl WorkflowError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Enqueue(error) => error.is_transient(),
            Self::Flow(error) => error.is_transient(),
            Self::Backend(error) => error.is_transient(),
            Self::TimedOut { .. } => true,
            Self::NoGlobalBackend(_) | Self::Invalid(_) | Self::Output { .. } => false,
        }
    }
}
