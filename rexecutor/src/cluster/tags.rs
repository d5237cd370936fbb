//! Pausing jobs by their tags.

use crate::{
    backend::{self, Backend},
    global,
    manage::{self, JobsError},
    model::{Pause, Scope},
    validate,
};

/// Stops the claiming of jobs that have this tag, of every executor and on every node, until [`resume_tag`] or the pause's own end:
/// what a customer, a tenant or a feature has enqueued, say.
///
/// Once this has returned, no claim that begins gives a job with the tag. Running jobs are left to end, or cancelled with
/// [`Pause::cancel_running`]. A job that is due meanwhile is set aside when a claim meets it, and stands where it stood once the tag is
/// resumed; until then its due time is the year 9000, and [`explain`](crate::observe::explain) says why. Of jobs that run
/// [in order](crate::Executor::ORDERED) it holds up those behind it.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this. When the tag is empty or contains U+0000,
/// or is longer than [`limits::MAX_TAG_BYTES`](crate::limits::MAX_TAG_BYTES).
///
/// # Cancel safety
///
/// When the future is dropped, the tag may or may not be paused.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, cluster, prelude::*};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # rexecutor::set_global_backend(InMemoryBackend::new())?;
/// cluster::pause_tag("customer:acme", Pause::new("their endpoint is down").by("ann")).await?;
///
/// for paused in cluster::paused().await? {
///     println!("{}: {}", paused.scope, paused.pause.reason);
/// }
/// assert!(cluster::resume_tag("customer:acme").await?, "it was paused");
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// the tag `customer:acme`: their endpoint is down
/// ```
pub async fn pause_tag(tag: impl Into<String>, pause: impl Into<Pause>) -> Result<(), JobsError> {
    pause_tag_on_backend(tag, pause, &*global::backend()?).await
}

/// [`pause_tag`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this. When the tag is empty or contains U+0000,
/// or is longer than [`limits::MAX_TAG_BYTES`](crate::limits::MAX_TAG_BYTES).
///
/// # Cancel safety
///
/// When the future is dropped, the tag may or may not be paused.
pub async fn pause_tag_on_backend<B: Backend + ?Sized>(
    tag: impl Into<String>,
    pause: impl Into<Pause>,
    backend: &B,
) -> Result<(), JobsError> {
    manage::pause(Scope::Tag(tag.into()), pause.into(), backend).await
}

/// Ends the pause of a tag; returns whether it was paused. Jobs that have another tag which is paused stay so.
///
/// # Errors
///
/// When no global backend is set, or it fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the pause may or may not be over.
pub async fn resume_tag(tag: impl Into<String>) -> Result<bool, JobsError> {
    resume_tag_on_backend(tag, &*global::backend()?).await
}

/// [`resume_tag`] on a backend of your choice.
///
/// # Errors
///
/// When the backend fails or cannot do this.
///
/// # Cancel safety
///
/// When the future is dropped, the pause may or may not be over.
pub async fn resume_tag_on_backend<B: Backend + ?Sized>(
    tag: impl Into<String>,
    backend: &B,
) -> Result<bool, JobsError> {
    Ok(backend::control(backend)?.resume(&Scope::Tag(validate::text(&tag.into()))).await?)
}
