//! What messages call a flow.

use std::fmt;

use super::{error::FlowError, stored::StoredFlow};
use crate::model::FlowId;

/// A batch or a workflow, as messages call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowRef {
    /// Its number.
    pub id: FlowId,
    /// Which of the two it is, where that is known.
    pub kind: Option<FlowKind>,
}

/// Which of the two a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowKind {
    /// A batch.
    Batch,
    /// A workflow.
    Workflow,
}

impl FlowRef {
    /// This flow, which is one of these.
    pub fn new(id: FlowId, kind: FlowKind) -> Self {
        Self { id, kind: Some(kind) }
    }
}

/// Of which it is not known which of the two it is.
impl From<FlowId> for FlowRef {
    fn from(id: FlowId) -> Self {
        Self { id, kind: None }
    }
}

impl fmt::Display for FlowRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Some(FlowKind::Batch) => "batch",
            Some(FlowKind::Workflow) => "workflow",
            None => "batch or workflow",
        };
        write!(f, "{kind} {}", self.id)
    }
}

impl StoredFlow {
    /// What messages call it.
    pub(super) fn called(&self, id: FlowId) -> FlowRef {
        FlowRef::new(id, if self.is_workflow() { FlowKind::Workflow } else { FlowKind::Batch })
    }

    /// Whether tasks can be skipped.
    ///
    /// # Errors
    ///
    /// When it has ended or was cancelled.
    pub fn check_running(&self, id: FlowId) -> Result<(), FlowError> {
        match (self.end(), self.cancelled()) {
            (Some(_), _) => Err(FlowError::Over(self.called(id))),
            (None, Some(_)) => Err(FlowError::Stopping(self.called(id))),
            (None, None) => Ok(()),
        }
    }
}
