//! Where the events of one stream wait until it is polled.
//!
//! # Invariant
//!
//! - It holds a number of events that is bounded. When it is full the oldest is lost, and how many were is said in their place.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures::task::AtomicWaker;

use super::event::Event;
use crate::{
    backend::Interest,
    model::{BackendError, EventKind, ExecutorName, JobId, Scope},
};

/// What a stream is to give.
#[derive(Debug, Default, Clone)]
pub(super) struct Filter {
    pub(super) executors: Option<BTreeSet<ExecutorName>>,
    pub(super) jobs: Option<BTreeSet<JobId>>,
    /// A job has one of these.
    pub(super) tags: Option<BTreeSet<String>>,
    pub(super) kinds: Option<BTreeSet<EventKind>>,
}

impl Filter {
    fn lets_through(&self, event: &Event) -> bool {
        let has_kind = event.kind().is_none_or(|kind| is_in(&self.kinds, &kind));
        has_kind
            && match event {
                Event::Job(changed) => {
                    is_in(&self.executors, &changed.executor)
                        && is_in(&self.jobs, &changed.job)
                        && self.tags.as_ref().is_none_or(|tags| changed.tags.iter().any(|tag| tags.contains(tag)))
                }
                Event::Paused { scope, .. } | Event::Resumed { scope, .. } => {
                    let is_meant = match scope {
                        Scope::Executor(executor) => is_in(&self.executors, executor),
                        Scope::Cluster | Scope::Node(_) | Scope::Tag(_) => true,
                    };
                    is_meant && self.jobs.is_none() && self.tags.is_none()
                }
                Event::Lagged { .. } => true,
            }
    }

    /// Of which executors a backend is asked for events.
    pub(super) fn interest(&self) -> Interest {
        self.executors.as_ref().map(|executors| executors.iter().cloned().collect())
    }
}

fn is_in<T: Ord>(asked: &Option<BTreeSet<T>>, one: &T) -> bool {
    asked.as_ref().is_none_or(|asked| asked.contains(one))
}

/// Where the events of one stream wait.
pub(super) struct Sink {
    pub(super) filter: Filter,
    /// How many wait at most.
    most: usize,
    queue: Mutex<Queue>,
    waker: AtomicWaker,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<Arc<Event>>,
    /// How many were lost before these.
    missed: u64,
    /// Whether others were, nobody knows how many.
    has_lost: bool,
    /// What ends the stream once these are given.
    end: Option<Arc<BackendError>>,
}

impl Sink {
    pub(super) fn new(filter: Filter, most: usize) -> Self {
        Self { filter, most, queue: Mutex::default(), waker: AtomicWaker::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an event, if it is one that the stream is to give.
    pub(super) fn push(&self, event: &Arc<Event>) {
        if !self.filter.lets_through(event) {
            return;
        }
        let mut queue = self.queue();
        queue.events.push_back(event.clone());
        if queue.events.len() > self.most {
            match queue.events.pop_front().as_deref() {
                Some(Event::Lagged { .. }) => queue.has_lost = true,
                _ => queue.missed += 1,
            }
        }
        drop(queue);
        self.waker.wake();
    }

    /// Ends the stream.
    pub(super) fn end(&self, error: &Arc<BackendError>) {
        self.queue().end = Some(error.clone());
        self.waker.wake();
    }

    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Result<Event, Arc<BackendError>>> {
        // Before looking, or what comes in between would wake nobody.
        self.waker.register(context.waker());
        let mut queue = self.queue();
        if queue.missed > 0 || queue.has_lost {
            let missed = std::mem::take(&mut queue.missed);
            let missed = (!std::mem::take(&mut queue.has_lost)).then_some(missed);
            return Poll::Ready(Ok(Event::Lagged { missed }));
        }
        match queue.events.pop_front() {
            Some(event) => Poll::Ready(Ok(Arc::unwrap_or_clone(event))),
            None => queue.end.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
        }
    }
}
