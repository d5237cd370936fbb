//! What is known about a job, to say why it is not running.

use super::{
    cluster::{Cluster, KeyStanding},
    observe,
};
use crate::{
    backend::{Backend, flows::UpstreamTask},
    model::{JobRow, JobStatus, Result},
};

/// What is known about a job and what is around it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Circumstances {
    /// The job.
    pub job: JobRow,
    /// How nodes and executors stand.
    pub cluster: Cluster,
    /// How the jobs of its key stand, if it has one.
    pub key: KeyStanding,
    /// What it comes after, if it is a task.
    pub upstream: Vec<UpstreamTask>,
}

impl Circumstances {
    /// This job in this cluster.
    pub fn new(job: JobRow, cluster: Cluster, key: KeyStanding) -> Self {
        Self { job, cluster, key, upstream: Vec::new() }
    }

    /// … that comes after these tasks.
    #[must_use]
    pub fn after(self, upstream: Vec<UpstreamTask>) -> Self {
        Self { upstream, ..self }
    }

    /// What a backend knows about a job.
    ///
    /// # Errors
    ///
    /// When it fails, or cannot be observed.
    pub async fn of<B: Backend + ?Sized>(job: JobRow, backend: &B) -> Result<Self> {
        let observe = observe(backend)?;
        let cluster = observe.cluster().await?;
        let key = match &job.extras.group_key {
            Some(key) => observe.key(&job.executor, key).await?,
            None => KeyStanding::default(),
        };
        let waits = job.status == JobStatus::Blocked && job.extras.task.is_some();
        let upstream = match backend.flows().filter(|_| waits) {
            Some(flows) => flows.upstream(job.id).await?,
            None => Vec::new(),
        };
        Ok(Self::new(job, cluster, key).after(upstream))
    }
}
