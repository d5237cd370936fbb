//! Connections of a runtime that has ended: they look alive, and fail at their first use.
//!
//! A program may have a runtime for each call. Once a second one has asked, no connection is kept beside the pool any more, since
//! nobody knows whose it is, and each is asked whether it lives before it is used.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use tokio::runtime::{Handle, Id};

use super::backend::Database;

/// The runtimes that have asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Runtimes(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    first: OnceLock<Id>,
    are_several: AtomicBool,
}

impl Runtimes {
    /// Notes the present one.
    fn note(&self) {
        if let Ok(handle) = Handle::try_current()
            && *self.0.first.get_or_init(|| handle.id()) != handle.id()
        {
            self.0.are_several.store(true, Ordering::Release);
        }
    }

    /// Whether a connection may be that of a runtime which has ended.
    pub(super) fn are_several(&self) -> bool {
        self.0.are_several.load(Ordering::Acquire)
    }
}

impl Database {
    /// To be called before a connection is taken.
    pub(super) fn enter_runtime(&self) {
        self.runtimes.note();
        if self.runtimes.are_several() {
            drop(self.connections.release_all());
        }
    }
}
