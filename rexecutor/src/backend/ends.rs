//! Telling of the ends of jobs that somebody waits for.

use futures::future::BoxFuture;

use super::capabilities::Backend;
use crate::model::{BackendError, JobId, Result};

/// Tells of the ends of jobs, in this process and in others.
///
/// # Contract
///
/// - Those of the jobs that are not finished are [marked](crate::backend::Marks::AWAITED), unless somebody else is changing them
///   in this moment: whoever waits reads them afterwards, and asks again where a mark is missing.
/// - Once a marked job is finished, in whatever way, every [wakeup](crate::backend::Wakeup::of_ends) that watches is told of it by
///   [`end`](crate::backend::Wakeup::end), or fires for everything; on all processes.
/// - A job that nobody waits for costs nothing: it is not marked.
pub trait Ends: Send + Sync {
    /// Marks those of these jobs that are not finished.
    fn await_ends(&self, jobs: Vec<JobId>) -> BoxFuture<'_, Result<()>>;
}

/// The capability to tell of the ends of jobs, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn ends<B: Backend + ?Sized>(backend: &B) -> Result<&dyn Ends> {
    backend.ends().ok_or_else(|| BackendError::unsupported(backend.name(), "waiting for jobs (`Backend::ends`)"))
}
