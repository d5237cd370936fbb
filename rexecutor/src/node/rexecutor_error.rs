//! The one error of 0.1, for programs that return it.
#![allow(deprecated, reason = "it is deprecated itself")]

use crate::{
    builder::EnqueueError,
    global::{GlobalBackendIsSet, NoGlobalBackend},
    manage::JobsError,
    model::BackendError,
};

/// Any error of this crate, as 0.1 knew them: `?` converts the errors of today into it.
#[derive(thiserror::Error)]
#[deprecated(
    note = "each operation has an error of its own, as `EnqueueError` and `JobsError`; write that one, or `Box<dyn Error>`"
)]
#[non_exhaustive]
pub enum RexecutorError {
    /// The backend failed.
    #[error("the backend failed")]
    BackendError(#[from] BackendError),
    /// No global backend is set, or one is set already.
    #[error("no global backend is set, or one is set already")]
    GlobalBackend,
    /// A value does not encode as JSON.
    #[error("could not encode a value as JSON")]
    EncodeError(#[from] serde_json::Error),
    /// Something else: a field that is not acceptable, a job that is not there.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

crate::debug_as_sentence!(RexecutorError);

impl From<NoGlobalBackend> for RexecutorError {
    fn from(_: NoGlobalBackend) -> Self {
        Self::GlobalBackend
    }
}

impl From<GlobalBackendIsSet> for RexecutorError {
    fn from(_: GlobalBackendIsSet) -> Self {
        Self::GlobalBackend
    }
}

impl From<EnqueueError> for RexecutorError {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::NoGlobalBackend(_) => Self::GlobalBackend,
            EnqueueError::Backend(error) => Self::BackendError(error),
            EnqueueError::Encode { source, .. } => Self::EncodeError(source),
            error => Self::Other(error.into()),
        }
    }
}

impl From<JobsError> for RexecutorError {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::NoGlobalBackend(_) => Self::GlobalBackend,
            JobsError::Backend(error) => Self::BackendError(error),
            JobsError::Encode(_, source) => Self::EncodeError(source),
            error => Self::Other(error.into()),
        }
    }
}
