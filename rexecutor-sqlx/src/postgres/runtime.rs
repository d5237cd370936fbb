//! Connections of a runtime that has ended: they look alive, and fail at their first use.
//!
//! A program may have a runtime for each call. Once another one than before asks, the connections that were kept are given back,
//! and those that are older are asked whether they live before they are used.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rexecutor::clock::{Clock, SystemClock};
use tokio::runtime::{Handle, Id};

use super::backend::Database;

/// Which runtime has asked last, and since when.
#[derive(Debug, Clone, Default)]
pub(super) struct Runtime(Arc<Mutex<Option<(Id, DateTime<Utc>)>>>);

impl Runtime {
    /// Notes the present runtime; whether it is another one than before.
    fn has_changed(&self) -> bool {
        let Ok(handle) = Handle::try_current() else { return false };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((id, _)) if *id == handle.id() => false,
            before => {
                let is_second = before.is_some();
                *known = Some((handle.id(), SystemClock.now()));
                is_second
            }
        }
    }

    /// Whether a connection of this age may be another runtime's.
    pub(super) fn may_be_another(&self, age: Duration) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = known.as_ref().map(|(_, since)| (SystemClock.now() - *since).to_std().unwrap_or_default());
        since.is_none_or(|since| age >= since)
    }
}

impl Database {
    /// To be called before a connection is taken.
    pub(super) fn enter_runtime(&self) {
        if self.runtime.has_changed() {
            drop(self.connections.release_all());
        }
    }
}
