//! The backend that `.enqueue()` goes to.
//!
//! A program sets it once. It is never replaced, so that a job cannot end up in a backend that nobody works on.

use std::sync::{Arc, OnceLock};

use crate::backend::Backend;

static GLOBAL: OnceLock<Arc<dyn Backend>> = OnceLock::new();

/// The global backend.
///
/// # Errors
///
/// When none is set.
pub fn backend() -> Result<Arc<dyn Backend>, NoGlobalBackend> {
    GLOBAL.get().cloned().ok_or(NoGlobalBackend)
}

pub(crate) fn set(backend: Arc<dyn Backend>) -> Result<(), GlobalBackendIsSet> {
    GLOBAL.set(backend).map_err(|_| GlobalBackendIsSet)
}

/// No global backend is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no global backend is set: start a node with `.with_backend(backend)`, or call \
     `Rexecutor::new(backend).set_global_backend()`, or name the backend, as in `.enqueue_to_backend(&backend)`"
)]
pub struct NoGlobalBackend;

/// The global backend was set before, and stays what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the global backend is already set")]
pub struct GlobalBackendIsSet;
