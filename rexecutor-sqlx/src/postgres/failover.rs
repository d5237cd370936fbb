//! Leaving a server that has become read-only.
//!
//! After a failover the old primary is a standby, or set read-only, and its sessions go on: a pool would stay there for
//! ever. So when a transaction is refused because it may not write, every connection from before is given up, and the
//! next ones are made anew, to wherever the address leads by then.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rexecutor::clock::{Clock, SystemClock};
use sqlx::pool::PoolConnectionMetadata;

use super::error::code;

/// Since when connections are to be trusted, in the time that nobody can set; `None`: all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Failover(Arc<Mutex<Option<Duration>>>);

impl Failover {
    /// Takes in an error, which may be that of a server that takes no writes.
    pub(super) fn notice(&self, error: &sqlx::Error) {
        if code(error).as_deref() == Some("25006") {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(SystemClock.elapsed());
        }
    }

    /// Whether a connection is not from before a failover.
    pub(super) fn accepts(&self, connection: &PoolConnectionMetadata) -> bool {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_none_or(|since| connection.age < SystemClock.elapsed().saturating_sub(since))
    }
}
