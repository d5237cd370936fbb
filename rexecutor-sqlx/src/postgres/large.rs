//! Which executors have large jobs, which are claimed by their bytes.
//!
//! To add up the bytes of every job that is claimed would take time for nothing where jobs are small, as nearly all are. So a
//! claim takes them by their number, and fails at a large one before anything of it is kept. Then, and from then on while any
//! claim gives a large job, those executors are claimed by bytes.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rexecutor::{
    backend::{Demand, JobRow},
    job::ExecutorName,
};

use super::error::code;

/// Of how many bytes of data and metadata a job is large.
pub(super) const LARGE: usize = 64 * 1024;

/// Executors that have had a large job in their last claim.
#[derive(Debug, Default)]
pub(super) struct LargeJobs(Mutex<HashSet<ExecutorName>>);

impl LargeJobs {
    fn executors(&self) -> MutexGuard<'_, HashSet<ExecutorName>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any of these is such an executor.
    pub(super) fn are_of(&self, demands: &[Demand]) -> bool {
        let executors = self.executors();
        !executors.is_empty() && demands.iter().any(|demand| executors.contains(&demand.executor))
    }

    /// Notes what a claim by bytes gave.
    pub(super) fn note(&self, demands: &[Demand], jobs: &[JobRow]) {
        let mut executors = self.executors();
        for demand in demands {
            executors.remove(&demand.executor);
        }
        let large = jobs.iter().filter(|job| job.content_bytes() > LARGE);
        executors.extend(large.map(|job| job.executor.clone()));
    }
}

/// Whether a claim has met a large job, and claimed nothing.
pub(super) fn has_met_one(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("22P02")
}
