//! How a node learns that there may be something to do, without asking again and again.
//!
//! A [`Bell`] belongs to one node. A backend rings every bell that [`watch`](super::Claim::watch) was given, whenever
//! jobs become available or are to be cancelled. A ring is a hint: a lost one costs a poll interval, never a job.

use std::{
    collections::BTreeSet,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
};

use futures::task::AtomicWaker;

use crate::job::{ExecutorName, JobId};

/// What one node is woken by.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<Rung>,
    listener: AtomicWaker,
}

/// Why a bell was rung since it was last listened to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Any executor may have jobs that are due.
    pub all: bool,
    /// These executors have new jobs.
    pub executors: BTreeSet<ExecutorName>,
    /// These jobs are to be cancelled if they run here.
    pub cancelled: BTreeSet<JobId>,
}

impl Rung {
    fn is_silent(&self) -> bool {
        !self.all && self.executors.is_empty() && self.cancelled.is_empty()
    }
}

impl Bell {
    /// Says that `executor` has a new job.
    pub fn ring(&self, executor: &ExecutorName) {
        self.strike(|rung| {
            if !rung.all && !rung.executors.contains(executor) {
                rung.executors.insert(executor.clone());
            }
        });
    }

    /// Says that any executor may have jobs: after an outage, or where the backend cannot tell.
    pub fn ring_all(&self) {
        self.strike(|rung| rung.all = true);
    }

    /// Says that a job is to be cancelled.
    pub fn cancel(&self, job: JobId) {
        self.strike(|rung| {
            rung.cancelled.insert(job);
        });
    }

    fn strike(&self, change: impl FnOnce(&mut Rung)) {
        change(&mut self.rung.lock().unwrap_or_else(PoisonError::into_inner));
        self.listener.wake();
    }

    /// Waits until the bell is rung, and returns why. Rings that nobody heard are kept until then. One task listens at
    /// a time: of two, the first is forgotten.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn listen(&self) -> Rung {
        poll_fn(|context| self.poll_listen(context)).await
    }

    pub(crate) fn poll_listen(&self, context: &mut Context<'_>) -> Poll<Rung> {
        // Before looking, or a ring in between would wake nobody.
        self.listener.register(context.waker());
        let rung = std::mem::take(&mut *self.rung.lock().unwrap_or_else(PoisonError::into_inner));
        if rung.is_silent() { Poll::Pending } else { Poll::Ready(rung) }
    }
}

/// The bells of the nodes that work on one backend in this process.
///
/// It holds none of them alive: a node that is gone is forgotten.
#[derive(Debug, Default)]
pub struct Bells(Mutex<Vec<Weak<Bell>>>);

impl Bells {
    /// Adds a node's bell.
    pub fn add(&self, bell: &Arc<Bell>) {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|known| known.strong_count() > 0 && !known.ptr_eq(&Arc::downgrade(bell)));
        bells.push(Arc::downgrade(bell));
    }

    /// Calls `ring` with every bell.
    pub fn each(&self, ring: impl Fn(&Bell)) {
        let bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.iter().filter_map(Weak::upgrade).for_each(|bell| ring(&bell));
    }
}
