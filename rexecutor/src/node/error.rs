//! Why a node does not start.

use std::fmt;

use crate::{backend::BackendError, global::NoGlobalBackend};

/// Why a node does not start. Nothing runs.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No backend was given, and no global one is set.
    #[error(
        "the node has no backend: write `.with_backend(backend)` before `.start()`, for example with \
         `SqliteBackend::open(\"jobs.db\").await?` of the crate `rexecutor-sqlx`"
    )]
    NoBackend(NoGlobalBackend),
    /// What was configured cannot be; all of it is listed.
    #[error("the node cannot start:{}", List(.0))]
    Invalid(Vec<String>),
    /// The backend takes no nodes.
    #[error("no node can work on the backend")]
    Backend(#[source] BackendError),
    /// There is no tokio runtime here, or it has no timer.
    #[error(
        "a node runs on a tokio runtime with timers: use `#[tokio::main]`, or call `enable_all()` on the runtime's builder"
    )]
    NoRuntime,
}

crate::debug_as_sentence!(StartError);

/// Without being its cause, which says no more.
impl From<NoGlobalBackend> for StartError {
    fn from(error: NoGlobalBackend) -> Self {
        Self::NoBackend(error)
    }
}

struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}
