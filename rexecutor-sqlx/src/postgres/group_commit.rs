//! Callers that enqueue at the same time share a transaction.
//!
//! Each puts its jobs down and waits for the turn; whoever has it stores everything that was put down. So a lone caller
//! waits for nobody, and many pay for one commit.

use std::sync::{Mutex, PoisonError};

use rexecutor::backend::{Enqueued, NewJob, Result};
use tokio::sync::oneshot;

/// Jobs that wait for the turn.
#[derive(Debug, Default)]
pub(super) struct GroupCommit {
    waiting: Mutex<Vec<Waiting>>,
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// One caller's jobs.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) jobs: Vec<NewJob>,
    pub(super) answer: oneshot::Sender<Result<Vec<Enqueued>>>,
}

impl GroupCommit {
    pub(super) fn put(&self, waiting: Waiting) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
    }

    /// As many as have `most` jobs together, and `most_bytes`, but one at least, of those whose callers still wait.
    pub(super) fn take(&self, most: usize, most_bytes: usize) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|waiting| !waiting.answer.is_closed());
        let (mut jobs, mut bytes) = (0, 0);
        let fits = |next: &&Waiting| {
            jobs += next.jobs.len();
            bytes += next.jobs.iter().map(NewJob::content_bytes).sum::<usize>();
            jobs <= most && bytes <= most_bytes
        };
        let callers = waiting.iter().take_while(fits).count().max(1).min(waiting.len());
        waiting.drain(..callers).collect()
    }
}
