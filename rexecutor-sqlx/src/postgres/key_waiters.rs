//! Callers that enqueue unique jobs, and may have to wait until another transaction has decided about the same key.
//!
//! Each waits on a connection. That transaction may be the application's, and take as long as it likes: so a quarter of the pool
//! is kept for everything else, as claims and outcomes.

use std::io;

use rexecutor::{
    backend::NewJob,
    clock::{Clock, SystemClock},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::backend::Database;

/// How many may wait at once.
#[derive(Debug)]
pub(super) struct KeyWaiters {
    most: usize,
    permits: Semaphore,
}

impl KeyWaiters {
    /// For a pool of so many connections: three quarters of them, but one less than there are, and one at least.
    pub(super) fn of(connections: u32) -> Self {
        let kept = (connections / 4).max(1);
        let most = usize::try_from(connections.saturating_sub(kept)).unwrap_or(Semaphore::MAX_PERMITS).max(1);
        Self { most, permits: Semaphore::new(most.min(Semaphore::MAX_PERMITS)) }
    }
}

impl Database {
    /// Waits until these jobs may take a connection on which they may have to wait for a key; at once, if none is unique.
    pub(super) async fn may_wait_for_keys(&self, jobs: &[NewJob]) -> sqlx::Result<Option<SemaphorePermit<'_>>> {
        match are_unique(jobs) {
            true => self.turn_to_wait_for_keys().await.map(Some),
            false => Ok(None),
        }
    }

    /// The same for jobs that are known only to who has a connection in hand: `false` if these may wait for a key and cannot have a
    /// turn now. The connection is to be given back then, and [a turn](Self::turn_to_wait_for_keys) waited for without it.
    pub(super) fn may_wait_now<'a>(&'a self, jobs: &[NewJob], turn: &mut Option<SemaphorePermit<'a>>) -> bool {
        if turn.is_none() && are_unique(jobs) {
            *turn = self.key_waiters.permits.try_acquire().ok();
            return turn.is_some();
        }
        true
    }

    /// Waits until one more may wait for a key.
    pub(super) async fn turn_to_wait_for_keys(&self) -> sqlx::Result<SemaphorePermit<'_>> {
        let waiters = &self.key_waiters;
        let limit = self.options.inner_timeout();
        tokio::select! {
            biased;
            permit = waiters.permits.acquire() => permit.map_err(|_| sqlx::Error::PoolClosed),
            () = SystemClock.sleep(limit) => Err(sqlx::Error::Io(io::Error::new(
                io::ErrorKind::TimedOut,
                format!(
                    "as many callers as may, {}, have been waiting for unique keys for {limit:?}: end the transactions that \
                     have enqueued jobs with these keys, or enqueue in a shorter transaction",
                    waiters.most
                ),
            ))),
        }
    }
}

fn are_unique(jobs: &[NewJob]) -> bool {
    jobs.iter().any(|job| job.unique.is_some())
}
