//! Connections that were used a moment ago.
//!
//! To give a connection back to its pool takes a round trip, which asks whether it still lives. One that has just answered
//! does: it is kept here for the next statement, and given back when it has not been used for a while.
//!
//! # Invariant
//!
//! - While anybody waits for the pool, no connection is kept here.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rexecutor::clock::{Clock, SystemClock};
use sqlx::{Postgres, pool::PoolConnection};

/// For how long a connection counts as alive without a question.
pub(super) const FRESH: Duration = Duration::from_millis(500);

/// Connections that were used a moment ago.
#[derive(Debug, Clone, Default)]
pub(super) struct ConnectionCache(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// Each with when it has last answered, in the time that nobody can set.
    connections: Vec<(Duration, PoolConnection<Postgres>)>,
    /// How many wait for the pool.
    waiting: usize,
}

/// Somebody who waits for the pool, until it is dropped.
#[derive(Debug)]
pub(super) struct Waiting(ConnectionCache);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.inner().waiting -= 1;
    }
}

impl ConnectionCache {
    /// The connection that was used last, so that the others may rest; if there is none, the pool is to be asked.
    pub(super) fn take(&self) -> Result<PoolConnection<Postgres>, Waiting> {
        let mut inner = self.inner();
        inner.release_stale();
        match inner.connections.pop() {
            Some((_, connection)) => Ok(connection),
            None => {
                inner.waiting += 1;
                Err(Waiting(self.clone()))
            }
        }
    }

    /// Keeps a connection that has just answered.
    pub(super) fn put(&self, connection: PoolConnection<Postgres>) {
        let mut inner = self.inner();
        inner.release_stale();
        if inner.waiting == 0 {
            inner.connections.push((SystemClock.elapsed(), connection));
        }
    }

    /// Gives all connections back to the pool, and keeps none until what this returns is dropped.
    pub(super) fn release_all(&self) -> Waiting {
        let mut inner = self.inner();
        inner.connections.clear();
        inner.waiting += 1;
        Waiting(self.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn release_stale(&mut self) {
        let now = SystemClock.elapsed();
        self.connections.retain(|(used_at, _)| now.saturating_sub(*used_at) < FRESH);
    }
}
