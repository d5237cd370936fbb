//! Why nobody can listen.

use crate::{global::NoGlobalBackend, model::BackendError};

/// Why a program cannot listen for events, or not any more.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum EventsError {
    /// No global backend is set.
    #[error(transparent)]
    NoGlobalBackend(#[from] NoGlobalBackend),
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(EventsError);

impl EventsError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoGlobalBackend(_) => false,
            Self::Backend(error) => error.is_transient(),
        }
    }
}
