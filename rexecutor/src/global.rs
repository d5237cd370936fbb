//! The backend that `.enqueue()` goes to.
//!
//! A program sets it once. It is never replaced, so that a job cannot end up in a backend that nobody works on. A test
//! may have one of its own for as long as its runtime lives; nobody else sees it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::runtime::{Handle, Id};

use crate::backend::Backend;

static GLOBAL: OnceLock<Arc<dyn Backend>> = OnceLock::new();

/// Whether any runtime ever had a backend of its own. A program that has none pays for this look alone.
static IS_ISOLATED: AtomicBool = AtomicBool::new(false);

static ISOLATED: OnceLock<Mutex<HashMap<Id, Arc<dyn Backend>>>> = OnceLock::new();

/// The global backend.
///
/// # Errors
///
/// When none is set.
pub fn backend() -> Result<Arc<dyn Backend>, NoGlobalBackend> {
    isolated().or_else(|| GLOBAL.get().cloned()).ok_or(NoGlobalBackend)
}

/// Makes `backend` the one that `.enqueue()` goes to, for a program that only enqueues: one that also runs jobs gives it to
/// its node with [`with_backend`](crate::node::NodeBuilder::with_backend).
///
/// # Errors
///
/// When a global backend is set already: it is never replaced.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, prelude::*};
///
/// #[job]
/// async fn greet(name: String) {
///     println!("hello, {name}");
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// rexecutor::set_global_backend(InMemoryBackend::new())?;
/// Greet::enqueue("Ada".to_owned()).await?;
/// # Ok(())
/// # }
/// ```
pub fn set_global_backend(backend: impl Backend) -> Result<(), GlobalBackendIsSet> {
    set(Arc::new(backend))
}

pub(crate) fn set(backend: Arc<dyn Backend>) -> Result<(), GlobalBackendIsSet> {
    match isolated() {
        Some(_) => Err(GlobalBackendIsSet),
        None => GLOBAL.set(backend).map_err(|_| GlobalBackendIsSet),
    }
}

/// Whether the global backend is this one.
pub(crate) fn is(one: &dyn Backend) -> bool {
    backend().is_ok_and(|global| global.instance() == one.instance())
}

/// The one of the present runtime.
fn isolated() -> Option<Arc<dyn Backend>> {
    if !IS_ISOLATED.load(Ordering::Acquire) {
        return None;
    }
    backends().get(&Handle::try_current().ok()?.id()).cloned()
}

/// The present runtime, if it has a global backend of its own, as a test has.
pub(crate) fn isolated_runtime() -> Option<Id> {
    if !IS_ISOLATED.load(Ordering::Acquire) {
        return None;
    }
    let runtime = Handle::try_current().ok()?.id();
    backends().contains_key(&runtime).then_some(runtime)
}

fn backends() -> MutexGuard<'static, HashMap<Id, Arc<dyn Backend>>> {
    ISOLATED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a backend the global one of a runtime, of its tasks and its blocking threads, until this is dropped.
#[cfg(feature = "__testing")]
#[derive(Debug)]
#[must_use = "dropping it ends the isolation"]
pub(crate) struct Isolation(Id);

#[cfg(feature = "__testing")]
impl Isolation {
    pub(crate) fn of(runtime: &Handle, backend: Arc<dyn Backend>) -> Self {
        backends().insert(runtime.id(), backend);
        IS_ISOLATED.store(true, Ordering::Release);
        Self(runtime.id())
    }

    pub(crate) fn runtime(&self) -> Id {
        self.0
    }
}

#[cfg(feature = "__testing")]
impl Drop for Isolation {
    fn drop(&mut self) {
        // Dropped outside of the lock: a backend may have much to do when it ends.
        let backend = backends().remove(&self.0);
        drop(backend);
    }
}

/// No global backend is set.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no global backend is set: start a node with `.with_backend(backend)`, or call \
     `rexecutor::set_global_backend(backend)`, or name the backend, as in `.enqueue_to_backend(&backend)` or `…_on_backend(.., &backend)`"
)]
pub struct NoGlobalBackend;

crate::debug_as_sentence!(NoGlobalBackend);

/// The global backend was set before, and stays what it was.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the global backend is already set")]
pub struct GlobalBackendIsSet;

crate::debug_as_sentence!(GlobalBackendIsSet);
