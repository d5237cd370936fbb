//! How a node learns that there may be something to do, without asking again and again.
//!
//! A [`Wakeup`] belongs to one node. A backend fires every wakeup that [`watch`](super::roles::Claim::watch) was given,
//! whenever jobs become available or are to be cancelled. It is a hint: a lost one costs a poll interval, never a job.

use std::{
    collections::BTreeSet,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
};

use futures::task::AtomicWaker;
use tokio::sync::Notify;

use crate::model::{ExecutorName, JobId, Scope};

/// What one node is woken by.
#[derive(Debug, Default)]
pub struct Wakeup {
    reasons: Mutex<WakeReasons>,
    listener: AtomicWaker,
    watching: Notify,
    /// Fires when schedule entries have changed.
    schedules: Notify,
    /// Fires when nobody can tell what has.
    unknown: Notify,
    hears: Hears,
}

/// What a wakeup is woken by.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Hears {
    /// What a node needs to know.
    #[default]
    Work,
    /// The ends of jobs.
    Ends,
    /// Whatever happens.
    Events,
}

/// Why a wakeup has fired since it was last listened to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WakeReasons {
    /// Any executor may have jobs that are due.
    pub all: bool,
    /// These executors have new jobs.
    pub executors: BTreeSet<ExecutorName>,
    /// These jobs are to be cancelled if they run here.
    pub cancelled: BTreeSet<JobId>,
    /// These jobs have ended. Only wakeups [of ends](Wakeup::of_ends) hear of that.
    pub ended: BTreeSet<JobId>,
    /// A flow has ended. Only wakeups [of ends](Wakeup::of_ends) hear of that.
    pub flows: bool,
}

impl WakeReasons {
    fn is_empty(&self) -> bool {
        !self.all && self.executors.is_empty() && self.cancelled.is_empty() && self.ended.is_empty() && !self.flows
    }
}

impl Wakeup {
    /// One that is woken by the ends of jobs alone, for whoever waits for them.
    pub fn of_ends() -> Self {
        Self { hears: Hears::Ends, ..Self::default() }
    }

    /// One that is woken by whatever happens, for whoever listens for [events](super::Events). Its reasons say nothing but
    /// [that something may have](WakeReasons::all).
    pub fn of_events() -> Self {
        Self { hears: Hears::Events, ..Self::default() }
    }

    /// Whether it is [of events](Self::of_events).
    pub fn is_of_events(&self) -> bool {
        self.hears == Hears::Events
    }

    /// Says that something has happened to jobs. Only wakeups [of events](Self::of_events) hear of that.
    pub fn happened(&self) {
        if self.is_of_events() {
            self.note(|reasons| reasons.all = true);
        }
    }

    /// Says that `executor` has a new job; [the name of the whole cluster](Scope::CLUSTER_NAME) stands for all executors, and
    /// [that of schedules](Scope::SCHEDULES_NAME) for schedule entries that have changed, and [that of flows](Scope::FLOWS_NAME) for a
    /// flow that has ended.
    pub fn wake(&self, executor: &ExecutorName) {
        if *executor == Scope::FLOWS_NAME {
            if self.hears == Hears::Ends {
                self.note(|reasons| reasons.flows = true);
            }
            return;
        }
        self.happened();
        if self.hears != Hears::Work {
            return;
        }
        if *executor == Scope::SCHEDULES_NAME {
            return self.schedules.notify_one();
        }
        if *executor == Scope::CLUSTER_NAME {
            return self.wake_all();
        }
        self.note(|reasons| {
            if !reasons.all && !reasons.executors.contains(executor) {
                reasons.executors.insert(executor.clone());
            }
        });
    }

    /// Says that any executor may have jobs: after an outage, or where the backend cannot tell.
    pub fn wake_all(&self) {
        self.unknown.notify_one();
        self.note(|reasons| reasons.all = true);
    }

    /// Says that a job is to be cancelled.
    pub fn cancel(&self, job: JobId) {
        self.happened();
        if self.hears == Hears::Work {
            self.note(|reasons| {
                reasons.cancelled.insert(job);
            });
        }
    }

    /// Says that jobs have ended whose ends [somebody waits for](super::Ends).
    pub fn end(&self, jobs: &[JobId]) {
        if jobs.is_empty() {
            return;
        }
        self.happened();
        if self.hears == Hears::Ends {
            self.note(|reasons| reasons.ended.extend(jobs));
        }
    }

    /// Says that the watch works: what other processes do from now on is heard. To be called once it is sure, in every call of
    /// [`watch`](super::roles::Claim::watch); the node takes an outage of the watch to be over then.
    pub fn watching(&self) {
        self.watching.notify_one();
    }

    /// Waits until the watch works.
    pub(crate) async fn watched(&self) {
        self.watching.notified().await;
    }

    /// Waits until schedule entries have changed since this was last asked. One task waits at a time.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn schedules_changed(&self) {
        self.schedules.notified().await;
    }

    /// Waits until something may have, and nobody can tell what.
    pub(crate) async fn unknown(&self) {
        self.unknown.notified().await;
    }

    fn note(&self, change: impl FnOnce(&mut WakeReasons)) {
        change(&mut self.reasons.lock().unwrap_or_else(PoisonError::into_inner));
        self.listener.wake();
    }

    /// Waits until the wakeup fires, and returns why. What nobody has heard yet is kept until then. One task listens at
    /// a time: of two, the first is forgotten.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn listen(&self) -> WakeReasons {
        poll_fn(|context| self.poll_listen(context)).await
    }

    pub(crate) fn poll_listen(&self, context: &mut Context<'_>) -> Poll<WakeReasons> {
        // Before looking, or what fires in between would wake nobody.
        self.listener.register(context.waker());
        let reasons = std::mem::take(&mut *self.reasons.lock().unwrap_or_else(PoisonError::into_inner));
        if reasons.is_empty() { Poll::Pending } else { Poll::Ready(reasons) }
    }
}

/// The listeners of the nodes that work on one backend in this process.
///
/// It holds none of them alive: a node that is gone is forgotten.
#[derive(Debug, Default)]
pub struct Listeners(Mutex<Vec<Weak<Wakeup>>>);

impl Listeners {
    /// Adds a node's wakeup.
    pub fn add(&self, wakeup: &Arc<Wakeup>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|known| known.strong_count() > 0 && !known.ptr_eq(&Arc::downgrade(wakeup)));
        listeners.push(Arc::downgrade(wakeup));
    }

    /// Calls `wake` with every wakeup.
    pub fn each(&self, wake: impl Fn(&Wakeup)) {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().filter_map(Weak::upgrade).for_each(|wakeup| wake(&wakeup));
    }
}
