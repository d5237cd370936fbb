//! What runs say of themselves while they run.

use futures::future::BoxFuture;

use super::capabilities::Backend;
use crate::model::{BackendError, JobId, Report, Result};

/// Keeps what runs say of themselves while they run: how far they have got, and what they log.
///
/// # Contract
///
/// - A report is stored while its job has its lease, whatever its status: what a run said in its last moments may come after its
///   outcome. It takes the place of the one before. One of a run whose job has been claimed again changes nothing.
/// - `sweep` deletes reports of jobs that are gone, some thousands in a call.
/// - The row of a job is not changed: its statements stay as fast as they are.
pub trait Reports: Send + Sync {
    /// Stores what runs say, at most one report of each job.
    fn report(&self, reports: Vec<Report>) -> BoxFuture<'_, Result<()>>;

    /// What is stored of a job, as JSON, if anything.
    fn reported(&self, job: JobId) -> BoxFuture<'_, Result<Option<String>>>;

    /// Deletes what is stored of jobs that are gone.
    fn sweep(&self) -> BoxFuture<'_, Result<()>>;
}

/// The capability to keep what runs say, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn reports<B: Backend + ?Sized>(backend: &B) -> Result<&dyn Reports> {
    backend
        .reports()
        .ok_or_else(|| BackendError::unsupported(backend.name(), "progress of running jobs (`Backend::reports`)"))
}
