//! The backend itself: a store under a lock, a clock, and who listens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::store::Store;
use crate::{
    backend::wakeup::Listeners,
    clock::{Clock, SystemClock},
    model::in_micros,
};

/// Keeps jobs in the memory of this process: they are gone when it ends.
///
/// It does all that the database backends do, under the same conformance suite.
///
/// # Examples
///
/// ```
/// use rexecutor::{Rexecutor, backend::memory::InMemoryBackend};
///
/// let backend = InMemoryBackend::new().paused();
/// Rexecutor::new(backend).set_global_backend()?;
/// # Ok::<(), rexecutor::GlobalBackendIsSet>(())
/// ```
#[derive(Debug)]
pub struct InMemoryBackend {
    store: Mutex<Store>,
    pub(super) listeners: Listeners,
    clock: Arc<dyn Clock>,
    pub(super) is_paused: bool,
}

impl InMemoryBackend {
    /// An empty backend on the system's clock.
    pub fn new() -> Self {
        Self {
            store: Mutex::default(),
            listeners: Listeners::default(),
            clock: Arc::new(SystemClock),
            is_paused: false,
        }
    }

    /// Gives no jobs to nodes: what is enqueued stays as it is, to be looked at.
    #[must_use]
    pub fn paused(mut self) -> Self {
        self.is_paused = true;
        self
    }

    /// Goes by this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The store and the present. The time is read under the lock, so that it never runs backwards between two callers.
    pub(super) fn store(&self) -> (MutexGuard<'_, Store>, DateTime<Utc>) {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let now = in_micros(self.clock.now());
        store.present = now;
        (store, now)
    }
}

impl Default for InMemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}
