//! Many jobs in one call.

use std::collections::BTreeSet;

use crate::{
    backend::Enqueue,
    builder::EnqueueError,
    context::warn_of_itself,
    global,
    meters::Enqueuing,
    model::{Enqueued, NewJob},
};

/// Enqueues jobs on the global backend, of one executor or of several, and returns once all of them are stored.
///
/// It is all or nothing: after an error, none of them is stored, unless only the answer was lost. The answers are in the
/// order of the jobs. Unique jobs may be among them, and conflict with earlier ones of the same call too.
///
/// However large the call is, a database gets it in pieces, of 1,000 jobs or 4 to 8 MiB, in one transaction.
///
/// # Errors
///
/// When no global backend is set, or the backend fails.
///
/// # Cancel safety
///
/// When the future is dropped the jobs may or may not have been stored.
///
/// # Examples
///
/// ```standalone_crate
/// use rexecutor::{backend::memory::InMemoryBackend, enqueue_all, prelude::*};
///
/// #[job]
/// async fn resize(_image: u32) {}
///
/// #[job]
/// async fn notify(_user: String) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let _node = Rexecutor::new(InMemoryBackend::new().paused()).set_global_backend()?;
/// let mut jobs = Vec::new();
/// for image in 0..1_000 {
///     jobs.push(Resize::builder().with_data(image).encode()?);
/// }
/// jobs.push(Notify::builder().with_data("ada".to_owned()).encode()?);
/// assert_eq!(enqueue_all(jobs).await?.len(), 1_001);
/// # Ok(())
/// # }
/// ```
pub async fn enqueue_all(jobs: impl IntoIterator<Item = NewJob>) -> Result<Vec<Enqueued>, EnqueueError> {
    enqueue_all_to_backend(jobs, &*global::backend()?).await
}

/// [`enqueue_all`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails.
///
/// # Cancel safety
///
/// When the future is dropped the jobs may or may not have been stored.
pub async fn enqueue_all_to_backend<B: Enqueue + ?Sized>(
    jobs: impl IntoIterator<Item = NewJob>,
    backend: &B,
) -> Result<Vec<Enqueued>, EnqueueError> {
    let jobs: Vec<NewJob> = jobs.into_iter().collect();
    // One executor's jobs or several: each is compared with the one that runs here.
    let executors: BTreeSet<_> =
        jobs.iter().filter(|job| job.unique.is_some()).map(|job| job.executor.clone()).collect();
    let enqueuing = Enqueuing::of(&jobs);
    let answers = backend.enqueue(jobs).await?;
    enqueuing.came_to(&answers);
    executors.iter().for_each(|executor| warn_of_itself(executor.as_str(), &answers));
    Ok(answers)
}
