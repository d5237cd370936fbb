//! Seeing what jobs, executors and nodes do: pages of jobs, counts, how the cluster stands, and why a job is not running.
//!
//! The types of the answers are those of [`backend::observe`](crate::backend::observe).

use crate::{
    backend::{
        Backend, Inspect,
        observe::{self, Circumstances, Cluster, Counts, Explanation, JobsPage, JobsRequest},
    },
    global,
    manage::JobsError,
    model::{Filter, JobId},
};

/// A page of jobs of any executor, as they are stored.
///
/// # Errors
///
/// When no global backend is set, the filter has too many conditions, or the backend fails or cannot do this.
pub async fn jobs(request: &JobsRequest) -> Result<JobsPage, JobsError> {
    jobs_on_backend(request, &*global::backend()?).await
}

/// [`jobs`] on a backend of your choice.
///
/// # Errors
///
/// When the filter has too many conditions, or the backend fails or cannot do this.
pub async fn jobs_on_backend<B: Backend + ?Sized>(request: &JobsRequest, backend: &B) -> Result<JobsPage, JobsError> {
    Ok(observe::observe(backend)?.page(request).await?)
}

/// How many jobs there are, by executor and status, counted up to `cap` each.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
pub async fn counts(cap: usize) -> Result<Counts, JobsError> {
    counts_on_backend(cap, &*global::backend()?).await
}

/// [`counts`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
pub async fn counts_on_backend<B: Backend + ?Sized>(cap: usize, backend: &B) -> Result<Counts, JobsError> {
    Ok(observe::observe(backend)?.counts(cap).await?)
}

/// The nodes and executors as they stand.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
pub async fn cluster() -> Result<Cluster, JobsError> {
    cluster_on_backend(&*global::backend()?).await
}

/// [`cluster`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
pub async fn cluster_on_backend<B: Backend + ?Sized>(backend: &B) -> Result<Cluster, JobsError> {
    Ok(observe::observe(backend)?.cluster().await?)
}

/// Why a job is not running, in one sentence with its evidence; `None`: there is no such job.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, observe, prelude::*};
///
/// #[job]
/// async fn invoice(customer: u32) {
///     let _ = customer;
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # rexecutor::set_global_backend(InMemoryBackend::new())?;
/// let job = Invoice::builder().with_data(7).enqueue().await?;
/// let why = observe::explain(job).await?.expect("it is stored");
/// println!("{why}");
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// No node is alive.
/// ```
pub async fn explain(job: impl Into<JobId>) -> Result<Option<Explanation>, JobsError> {
    explain_on_backend(job, &*global::backend()?).await
}

/// [`explain`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
pub async fn explain_on_backend<B: Backend + ?Sized>(
    job: impl Into<JobId>,
    backend: &B,
) -> Result<Option<Explanation>, JobsError> {
    let Some(job) = Inspect::query(backend, &Filter::IdIn(vec![job.into()]), 1).await?.pop() else { return Ok(None) };
    Ok(Some(observe::explain(&Circumstances::of(job, backend).await?)))
}
