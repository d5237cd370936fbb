//! What the program does to each job before it is enqueued.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde::{Serialize, de::DeserializeOwned};

use super::EnqueueError;
use crate::{
    causes::catch,
    executing::Executor,
    model::{Headers, NewJob},
};

type Refusal = Box<dyn Error + Send + Sync>;

type Hook = dyn Fn(&mut ToEnqueue<'_>) -> Result<(), Refusal> + Send + Sync;

/// Whether there ever was one. A program that has none pays for this look alone.
static IS_USED: AtomicBool = AtomicBool::new(false);

static HOOKS: RwLock<Vec<(u64, Arc<Hook>)>> = RwLock::new(Vec::new());

/// Calls this function with every job that this program builds, before it is checked and enqueued: to add what all jobs are to have, such as
/// the tenant of a request, or to refuse a job. Calls of `on_enqueue` add up, and the functions are called in their order.
///
/// It is called once for each job, when that is encoded: by `enqueue` and its like, and by
/// [`encode`](crate::job::builder::JobBuilder::encode), with which jobs get into [`enqueue_all`](crate::enqueue_all), batches and workflows. The job
/// of a schedule is built once, when the schedule is declared or put, and not for each tick. Jobs that other programs enqueue, SQL, or a
/// [`NewJob`] that is put together by hand are none of this program's building.
///
/// It runs where the job is built and must not block; it cannot wait for anything. An error refuses the job with
/// [`EnqueueError::Refused`], and so does a panic. Of a call with several jobs, which is all or nothing, none is enqueued then.
///
/// It holds for the whole process, until [`remove`](OnEnqueue::remove) is called; dropping what this returns changes nothing.
///
/// # Examples
///
/// ```standalone_crate
/// use rexecutor::{backend::memory::InMemoryBackend, middleware, prelude::*};
///
/// #[job]
/// async fn report(tenant: String, context: JobContext) {
///     println!("{tenant}, asked for by {:?}", context.headers().get("request"));
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// middleware::on_enqueue(|job| {
///     if job.executor() == "report" && job.data::<String>()?.is_empty() {
///         return Err("a report is of some tenant".into());
///     }
///     job.set_header("request", "17");
///     Ok(())
/// });
///
/// let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
/// Report::enqueue("acme".to_owned()).await?;
/// let error = Report::enqueue(String::new()).await.unwrap_err();
/// println!("{error}");
/// node.run_until_idle().await;
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// a `report` job was refused before it was enqueued: a report is of some tenant
/// acme, asked for by Some("17")
/// ```
pub fn on_enqueue(
    hook: impl Fn(&mut ToEnqueue<'_>) -> Result<(), Refusal> + Send + Sync + 'static,
) -> OnEnqueue {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    HOOKS.write().unwrap_or_else(PoisonError::into_inner).push((id, Arc::new(hook)));
    IS_USED.store(true, Ordering::Release);
    OnEnqueue(id)
}

/// A function that was given to [`on_enqueue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnEnqueue(u64);

impl OnEnqueue {
    /// Calls it no longer. A job that is being built meanwhile may still meet it.
    pub fn remove(self) {
        HOOKS.write().unwrap_or_else(PoisonError::into_inner).retain(|(id, _)| *id != self.0);
    }
}

/// A job that is about to be enqueued, as [`on_enqueue`] sees it: its data are what they are, and the rest may be added to.
pub struct ToEnqueue<'j> {
    job: &'j mut NewJob,
    has_new_metadata: bool,
}

impl ToEnqueue<'_> {
    /// The name of the job's executor.
    pub fn executor(&self) -> &str {
        self.job.executor.as_str()
    }

    /// The job's data, as JSON.
    pub fn data_json(&self) -> &str {
        &self.job.data
    }

    /// The job's data, decoded as `T`.
    ///
    /// # Errors
    ///
    /// When they do not decode as `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.data_json())
    }

    /// The job's metadata, as JSON, if it has any.
    pub fn metadata_json(&self) -> Option<&str> {
        self.job.metadata.as_deref()
    }

    /// Sets the job's metadata, which have to decode as those of its executor: else it is refused.
    ///
    /// # Errors
    ///
    /// When they do not encode as JSON.
    pub fn set_metadata<M: Serialize + ?Sized>(&mut self, metadata: &M) -> Result<(), serde_json::Error> {
        self.job.metadata = Some(serde_json::to_string(metadata)?);
        self.has_new_metadata = true;
        Ok(())
    }

    /// The job's tags.
    pub fn tags(&self) -> &[String] {
        &self.job.tags
    }

    /// Adds a tag, unless the job has it.
    pub fn add_tag(&mut self, tag: impl Into<String>) {
        let tag = tag.into();
        if !self.job.tags.contains(&tag) {
            self.job.tags.push(tag);
        }
    }

    /// What travels with the job beside its data.
    pub fn headers(&self) -> &Headers {
        &self.job.extras.headers
    }

    /// Adds a header, in place of one of the same name; see [`with_header`](crate::job::builder::JobBuilder::with_header).
    pub fn set_header(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.job.extras.edit().headers.set(name, value);
    }

    /// The job's priority: lower numbers start first.
    pub fn priority(&self) -> u16 {
        self.job.priority
    }

    /// Sets the job's priority, from 0 to [999](crate::limits::MAX_PRIORITY).
    pub fn set_priority(&mut self, priority: u16) {
        self.job.priority = priority;
    }
}

impl fmt::Debug for ToEnqueue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToEnqueue").field("executor", &self.executor()).field("tags", &self.tags()).finish_non_exhaustive()
    }
}

/// Has all of them look at a job.
pub(super) fn meet<E: Executor>(job: &mut NewJob) -> Result<(), EnqueueError> {
    if !IS_USED.load(Ordering::Acquire) {
        return Ok(());
    }
    // One that adds another must not wait for itself.
    let hooks: Vec<Arc<Hook>> =
        HOOKS.read().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, hook)| hook.clone()).collect();
    let refused = |reason: Refusal| EnqueueError::Refused { executor: E::NAME, reason };
    let mut seen = ToEnqueue { job, has_new_metadata: false };
    for hook in hooks {
        let met = catch(|| hook(&mut seen));
        met.unwrap_or_else(|panic| Err(format!("a function given to `on_enqueue` panicked: {panic}").into())).map_err(refused)?;
    }
    if seen.has_new_metadata
        && let Some(metadata) = &seen.job.metadata
        && let Err(error) = serde_json::from_str::<E::Metadata>(metadata)
    {
        let reason = format!("the metadata that `on_enqueue` has set do not decode as those of `{}`: {error}", E::NAME);
        return Err(refused(reason.into()));
    }
    Ok(())
}
