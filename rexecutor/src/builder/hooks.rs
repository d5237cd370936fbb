//! What the program does with each job before it is enqueued.

use std::{
    error::Error,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::runtime::Id;

use super::EnqueueError;
use crate::{
    causes::catch,
    executing::{EnqueueRequest, Executor, OwnMiddleware},
    global,
    model::NewJob,
};

type Refusal = Box<dyn Error + Send + Sync>;

type Hook = dyn Fn(&mut EnqueueRequest<'_>) -> Result<(), Refusal> + Send + Sync;

/// Whether there ever was a hook. A program without hooks pays for this look alone.
static IS_USED: AtomicBool = AtomicBool::new(false);

static HOOKS: RwLock<Vec<Registered>> = RwLock::new(Vec::new());

/// A hook, in the order in which they were added.
#[derive(Clone)]
struct Registered {
    id: u64,
    /// The runtime of the test that added it; `None`: no test did.
    runtime: Option<Id>,
    hook: Arc<Hook>,
}

/// Calls `hook` with every job that this program builds, before the job is checked and enqueued: to add what all jobs are to have, such as the
/// tenant of a request, or to refuse a job. Calls of `on_enqueue` add up; hooks are called in the order in which they were added.
///
/// A hook is called once for each job, when the job is encoded: by `enqueue` and the like, and by
/// [`encode`](crate::job::builder::JobBuilder::encode), which makes the jobs of [`enqueue_all`](crate::enqueue_all), batches and workflows. The
/// job of a schedule is built once, when the schedule is declared, and not for each tick. Jobs that other programs or SQL enqueue, and a
/// [`NewJob`](crate::backend::NewJob) that was put together by hand, do not pass through here.
///
/// A hook runs where the job is built. It must not block, and it cannot await. An error refuses the job with
/// [`EnqueueError::Refused`](crate::job::builder::EnqueueError::Refused), and so does a panic. Of several jobs that are built for one call, none
/// is enqueued then.
///
/// The hook stays for the lifetime of the process, or until [`EnqueueHook::remove`] is called; dropping the returned value changes nothing. In a
/// test with its own backend, `#[rexecutor_testing::test]`, it stays for that test, and no other test sees it.
///
/// # Examples
///
/// ```standalone_crate
/// use rexecutor::{backend::memory::InMemoryBackend, middleware, prelude::*};
///
/// #[job]
/// async fn report(tenant: String, context: JobContext) {
///     println!("a report for {tenant}, request {:?}", context.headers().get("request"));
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// middleware::on_enqueue(|job| {
///     if job.executor() == "report" && job.data::<String>()?.is_empty() {
///         return Err("a report needs a tenant".into());
///     }
///     job.set_header("request", "17");
///     Ok(())
/// });
///
/// let node = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await?;
/// Report::enqueue("acme".to_owned()).await?;
/// let error = Report::enqueue(String::new()).await.unwrap_err();
/// println!("{error:?}");
/// node.run_until_idle().await;
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// a `report` job was refused before it was enqueued: a report needs a tenant
/// a report for acme, request Some("17")
/// ```
pub fn on_enqueue(
    hook: impl Fn(&mut EnqueueRequest<'_>) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
) -> EnqueueHook {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let registered = Registered { id, runtime: global::isolated_runtime(), hook: Arc::new(hook) };
    HOOKS.write().unwrap_or_else(PoisonError::into_inner).push(registered);
    IS_USED.store(true, Ordering::Release);
    EnqueueHook(id)
}

/// A hook that was added with [`on_enqueue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnqueueHook(u64);

impl EnqueueHook {
    /// Removes the hook. A job that is being built on another thread may still meet it.
    pub fn remove(self) {
        remove(|registered| registered.id == self.0);
    }
}

/// Removes the hooks of a test that has ended.
#[cfg(feature = "__testing")]
pub(crate) fn remove_of(runtime: Id) {
    remove(|registered| registered.runtime == Some(runtime));
}

fn remove(is_gone: impl Fn(&Registered) -> bool) {
    let removed: Vec<_> =
        HOOKS.write().unwrap_or_else(PoisonError::into_inner).extract_if(.., |one| is_gone(one)).collect();
    // Outside of the lock: what a hook has captured may do much when it is dropped.
    drop(removed);
}

/// Lets the hooks, and then the executor's own middleware, see a job and change it.
pub(super) fn ask<E: Executor>(job: &mut NewJob) -> Result<(), EnqueueError> {
    let own = E::middleware();
    match own.is_empty() && !IS_USED.load(Ordering::Acquire) {
        true => Ok(()),
        false => ask_all(E::NAME, own, job),
    }
}

fn ask_all(executor: &'static str, own: OwnMiddleware, job: &mut NewJob) -> Result<(), EnqueueError> {
    let runtime = global::isolated_runtime();
    // Copied out of the lock: a hook may add another one, or enqueue a job.
    let hooks: Vec<Registered> = HOOKS.read().unwrap_or_else(PoisonError::into_inner).clone();
    let mut request = EnqueueRequest::new(job);
    let asked = |answer: Result<Result<(), Refusal>, String>, what: &str| {
        let answer = answer.unwrap_or_else(|panic| Err(format!("{what} panicked: {panic}").into()));
        answer.map_err(|reason| EnqueueError::Refused { executor, reason })
    };
    for Registered { hook, .. } in hooks.iter().filter(|registered| registered.runtime == runtime) {
        asked(catch(|| hook(&mut request)), "a hook of `middleware::on_enqueue`")?;
    }
    for layer in own {
        asked(catch(|| layer.on_enqueue(&mut request)), "its middleware's `on_enqueue`")?;
    }
    Ok(())
}
