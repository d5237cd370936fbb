//! Why nothing was done about a schedule entry.

use crate::{builder::EnqueueError, global::NoGlobalBackend, model::BackendError, validate::InvalidJob};

/// Why nothing was done about a schedule entry.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SchedulesError {
    /// No global backend is set.
    #[error(transparent)]
    NoGlobalBackend(#[from] NoGlobalBackend),
    /// There is no entry of this name.
    #[error("there is no schedule entry `{0}`")]
    NotFound(String),
    /// It comes from code, and it was asked for what only a change of the code can bring.
    #[error("{0}")]
    Refused(String),
    /// Its name is not acceptable.
    #[error("the name of a schedule entry is not acceptable")]
    Name(#[source] InvalidJob),
    /// Its job cannot be stored.
    #[error("the job of the schedule entry cannot be stored")]
    Job(#[source] EnqueueError),
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(SchedulesError);

impl SchedulesError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Backend(error) => error.is_transient(),
            Self::NoGlobalBackend(_) | Self::NotFound(_) | Self::Refused(_) | Self::Name(_) | Self::Job(_) => false,
        }
    }
}
