//! Control of the whole cluster: stopping every executor, single nodes, or jobs with a tag, for maintenance, setting limits, and seeing what is paused and
//! set.
//!
//! One executor is paused with [`ExecutorExt::pause`](crate::ExecutorExt::pause). Both kinds of pause are apart: ending that of
//! the cluster leaves an executor paused that was paused by itself.

mod tags;

pub use self::tags::{pause_tag, pause_tag_on_backend, resume_tag, resume_tag_on_backend};
use crate::{
    backend::{self, Backend},
    global,
    manage::{self, JobsError},
    model::{ChangedLimits, ExecutorName, LimitChange, Pause, Paused, Scope},
    validate,
};

/// Stops the claiming of jobs of every executor on every node, until [`resume`] or the pause's own end.
///
/// Once this has returned, no node claims a job, nor does one that starts later. Running jobs are left to end, or cancelled with
/// [`Pause::cancel_running`], as are the jobs that a node has claimed ahead, some milliseconds before they start. New jobs are stored and wait, ticks of schedules
/// among them; pruning continues.
///
/// A text is a reason without an end. A [`Pause`] also says by whom, and until when it lasts. Texts are cut at 64 KiB.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the cluster may or may not be paused.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, cluster, prelude::*};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # rexecutor::set_global_backend(InMemoryBackend::new())?;
/// cluster::pause(Pause::new("the database moves").by("ann")).await?;
///
/// for paused in cluster::paused().await? {
///     let by = paused.pause.by.as_deref().unwrap_or("somebody");
///     println!("{by} has paused {}: {}", paused.scope, paused.pause.reason);
/// }
/// assert!(cluster::resume().await?, "it was paused");
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// ann has paused the whole cluster: the database moves
/// ```
pub async fn pause(pause: impl Into<Pause>) -> Result<(), JobsError> {
    pause_on_backend(pause, &*global::backend()?).await
}

/// [`pause`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the cluster may or may not be paused.
pub async fn pause_on_backend<B: Backend + ?Sized>(pause: impl Into<Pause>, backend: &B) -> Result<(), JobsError> {
    manage::pause(Scope::Cluster, pause.into(), backend).await
}

/// Ends the pause of the whole cluster; returns whether it was paused. Executors that were paused by themselves stay so.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the pause may or may not be over.
pub async fn resume() -> Result<bool, JobsError> {
    resume_on_backend(&*global::backend()?).await
}

/// [`resume`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the pause may or may not be over.
pub async fn resume_on_backend<B: Backend + ?Sized>(backend: &B) -> Result<bool, JobsError> {
    Ok(backend::control(backend)?.resume(&Scope::Cluster).await?)
}

/// Stops the claiming of jobs on the nodes of this [label](crate::node::NodeBuilder::with_label), until [`resume_node`] or the pause's own
/// end: to take a machine out of service, say. The other nodes go on.
///
/// It stays so when such a node starts again, if its program gives it the same label. Running jobs are left to end, or cancelled with
/// [`Pause::cancel_running`]. There need be no such node yet.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this. When the label is empty or contains U+0000.
///
/// # Cancel safety
///
/// When the future is dropped, the nodes may or may not be paused.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, cluster, prelude::*};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # rexecutor::set_global_backend(InMemoryBackend::new())?;
/// cluster::pause_node("worker 3", Pause::new("a new disk").by("ann").cancel_running()).await?;
/// for paused in cluster::paused().await? {
///     println!("{}: {}", paused.scope, paused.pause.reason);
/// }
/// assert!(cluster::resume_node("worker 3").await?, "it was paused");
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// the node `worker 3`: a new disk
/// ```
pub async fn pause_node(label: impl Into<String>, pause: impl Into<Pause>) -> Result<(), JobsError> {
    pause_node_on_backend(label, pause, &*global::backend()?).await
}

/// [`pause_node`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this. When the label is empty or contains U+0000.
///
/// # Cancel safety
///
/// When the future is dropped, the nodes may or may not be paused.
pub async fn pause_node_on_backend<B: Backend + ?Sized>(
    label: impl Into<String>,
    pause: impl Into<Pause>,
    backend: &B,
) -> Result<(), JobsError> {
    manage::pause(Scope::Node(label.into()), pause.into(), backend).await
}

/// Ends the pause of the nodes of this label; returns whether they were paused by themselves. That of the whole cluster stays.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the pause may or may not be over.
pub async fn resume_node(label: impl Into<String>) -> Result<bool, JobsError> {
    resume_node_on_backend(label, &*global::backend()?).await
}

/// [`resume_node`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the pause may or may not be over.
pub async fn resume_node_on_backend<B: Backend + ?Sized>(
    label: impl Into<String>,
    backend: &B,
) -> Result<bool, JobsError> {
    Ok(backend::control(backend)?.resume(&Scope::Node(validate::text(&label.into()))).await?)
}

/// Sets limits of the executor of this name for all nodes while they run, as [`ExecutorExt::set_limits`](crate::ExecutorExt::set_limits)
/// does: for programs that do not have the executor.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this. When the name is empty, no limit is given, one is 0, or the rate is none.
///
/// # Cancel safety
///
/// When the future is dropped, the limits may or may not be set.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rexecutor::{backend::memory::InMemoryBackend, cluster, prelude::*};
///
/// #[job(rate_limit = "100/s")]
/// async fn sync_order() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # rexecutor::set_global_backend(InMemoryBackend::new())?;
/// let slower = LimitChange::new("the provider asked for it").by("ann");
/// SyncOrder::set_limits(slower.rate_limit(Rate::new(10, Duration::from_secs(1)))).await?;
/// for set in cluster::limits().await? {
///     println!("`{}`: {}", set.executor, set.change.reason);
/// }
/// assert!(SyncOrder::reset_limits().await?, "there were some");
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// `sync_order`: the provider asked for it
/// ```
pub async fn set_limits(executor: impl Into<ExecutorName>, change: LimitChange) -> Result<(), JobsError> {
    set_limits_on_backend(executor, change, &*global::backend()?).await
}

/// [`set_limits`] on a backend of your choice.
///
/// # Errors
///
/// As [`set_limits`], but for the global backend.
///
/// # Cancel safety
///
/// When the future is dropped, the limits may or may not be set.
pub async fn set_limits_on_backend<B: Backend + ?Sized>(
    executor: impl Into<ExecutorName>,
    change: LimitChange,
    backend: &B,
) -> Result<(), JobsError> {
    manage::set_limits(executor.into(), Some(change), backend).await.map(drop)
}

/// Ends what was set of the executor of this name: what programs declare holds again. Returns whether any limits were set.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the limits may or may not be reset.
pub async fn reset_limits(executor: impl Into<ExecutorName>) -> Result<bool, JobsError> {
    reset_limits_on_backend(executor, &*global::backend()?).await
}

/// [`reset_limits`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the limits may or may not be reset.
pub async fn reset_limits_on_backend<B: Backend + ?Sized>(
    executor: impl Into<ExecutorName>,
    backend: &B,
) -> Result<bool, JobsError> {
    manage::set_limits(executor.into(), None, backend).await
}

/// Which limits somebody has set, since when, by whom and why, by executor. Those that programs declare are not here.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
pub async fn limits() -> Result<Vec<ChangedLimits>, JobsError> {
    limits_on_backend(&*global::backend()?).await
}

/// [`limits`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
pub async fn limits_on_backend<B: Backend + ?Sized>(backend: &B) -> Result<Vec<ChangedLimits>, JobsError> {
    Ok(backend::control(backend)?.limits().await?)
}

/// What is paused, since when, by whom and why: the whole cluster first, then executors by name, then nodes by their label, then tags.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
pub async fn paused() -> Result<Vec<Paused>, JobsError> {
    paused_on_backend(&*global::backend()?).await
}

/// [`paused`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
pub async fn paused_on_backend<B: Backend + ?Sized>(backend: &B) -> Result<Vec<Paused>, JobsError> {
    Ok(backend::control(backend)?.paused().await?)
}
