//! Why nothing could be done with a flow.

use super::{
    flow_ref::{FlowKind, FlowRef},
    graph_error::GraphError,
};
use crate::model::{BackendError, FlowId};

/// Why nothing could be done with a flow: a batch or a workflow.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// There is none with this number; or it has ended, and all of its jobs were pruned.
    #[error("there is no {0}")]
    NotFound(FlowRef),
    /// It has ended, so that no jobs can be added to it.
    #[error("{0} has finished, and takes no more jobs: begin another one, or add jobs from inside of one of its own")]
    Finished(FlowRef),
    /// It was cancelled, so that no jobs can be added to it.
    #[error("{0} was cancelled, and takes no more jobs")]
    Cancelled(FlowRef),
    /// It has ended, so that nothing of it can be cancelled or skipped.
    #[error("{0} has finished: there is nothing to cancel or to skip any more")]
    Over(FlowRef),
    /// It was cancelled and has not ended, so that it cannot be retried, and no task of it skipped.
    #[error("{0} was cancelled, and some of its jobs have not ended: it can be retried once it has finished")]
    Stopping(FlowRef),
    /// It has no task of this name.
    #[error("workflow {0} has no task `{1}`")]
    NoTask(FlowId, String),
    /// The task runs or has ended, so that it cannot be skipped.
    #[error("the task `{1}` of workflow {0} has begun or has ended, and cannot be skipped")]
    Begun(FlowId, String),
    /// Its tasks would be no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(FlowError);

impl FlowError {
    /// The same, of a flow that is of this kind.
    #[must_use]
    pub(crate) fn of(self, kind: FlowKind) -> Self {
        match self {
            Self::NotFound(flow) => Self::NotFound(FlowRef::new(flow.id, kind)),
            error => error,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Backend(error) if error.is_transient())
    }
}
