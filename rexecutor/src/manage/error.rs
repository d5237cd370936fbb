//! Why stored jobs could not be found or changed.

use crate::{
    global::NoGlobalBackend,
    model::{AmendError, BackendError, FilterError},
    validate,
};

/// Why stored jobs could not be found or changed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum JobsError {
    /// No global backend is set.
    #[error(transparent)]
    NoGlobalBackend(#[from] NoGlobalBackend),
    /// The job is not there, or its status does not allow it.
    #[error(transparent)]
    Amend(#[from] AmendError),
    /// A field of the job is not acceptable.
    #[error(transparent)]
    Invalid(#[from] validate::InvalidJob),
    /// A value to compare with, or to store, does not encode as JSON.
    #[error("could not encode a value for `{0}`")]
    Encode(&'static str, #[source] serde_json::Error),
    /// The condition is one that cannot be asked.
    #[error(transparent)]
    Condition(FilterError),
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(JobsError);

impl JobsError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Amend(error) => error.is_transient(),
            Self::Backend(error) => error.is_transient(),
            Self::NoGlobalBackend(_) | Self::Invalid(_) => false,
            Self::Encode(..) | Self::Condition(_) => false,
        }
    }
}
