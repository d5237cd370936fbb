//! What the durable steps of one run share: which of them there are, and whether the run can go on only later.
//!
//! # Invariants
//!
//! - A run is suspended only while a step of it waits for a time or a signal, and no step works: what a step has begun is not dropped
//!   because another one waits.
//! - A step that is dropped by the job waits no more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    task::Context,
};

use chrono::{DateTime, Utc};
use futures::task::AtomicWaker;
use tokio::sync::OnceCell;

use super::job_context::JobContext;
use crate::backend::{StepKind, StepRow};

/// When a run can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Suspension {
    /// `None`: when a signal comes.
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) for_signal: bool,
}

/// What the steps of one run share.
#[derive(Default)]
pub(crate) struct RunSteps {
    state: Mutex<State>,
    /// What was recorded when the run came to its first step.
    pub(crate) recorded: OnceCell<Vec<StepRow>>,
    /// The run's thread, if it has one of its own.
    waiting: AtomicWaker,
}

#[derive(Default)]
struct State {
    /// The steps that the run has come to.
    names: BTreeSet<(StepKind, String)>,
    /// How many of them have a place.
    places: u32,
    /// How many steps work.
    busy: usize,
    waits: BTreeMap<u64, Suspension>,
    last_wait: u64,
}

impl RunSteps {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes to a step that has a place; `None`: the run has come to it before.
    pub(crate) fn begin(&self, kind: StepKind, name: &str) -> Option<u32> {
        let mut state = self.state();
        let is_new = state.names.insert((kind, name.to_owned()));
        is_new.then(|| {
            let place = state.places;
            state.places += 1;
            place
        })
    }

    /// The place of the next step.
    pub(crate) fn next_place(&self) -> u32 {
        self.state().places
    }

    /// Whether no step works.
    pub(crate) fn is_idle(&self) -> bool {
        self.state().busy == 0
    }

    /// When the run can go on; `None`: at once.
    pub(crate) fn suspension(&self) -> Option<Suspension> {
        let state = self.state();
        if state.busy > 0 || state.waits.is_empty() {
            return None;
        }
        let waits = || state.waits.values();
        Some(Suspension {
            until: waits().filter_map(|wait| wait.until).min(),
            for_signal: waits().any(|wait| wait.for_signal),
        })
    }

    /// … with the task woken when that changes.
    pub(crate) fn poll_suspension(&self, task: &Context<'_>) -> Option<Suspension> {
        self.waiting.register(task.waker());
        self.suspension()
    }
}

/// A step works until this is dropped.
pub(crate) struct Working(JobContext);

impl Working {
    pub(crate) fn of(context: JobContext) -> Self {
        context.run_steps().state().busy += 1;
        Self(context)
    }

    /// The step waits, which only the end of the run, or of the step, ends.
    pub(crate) async fn wait(self, suspension: Suspension) -> std::convert::Infallible {
        let context = self.0.clone();
        let steps = context.run_steps();
        let key = {
            let mut state = steps.state();
            state.last_wait += 1;
            let key = state.last_wait;
            state.waits.insert(key, suspension);
            key
        };
        let _waiting = Waiting { context: context.clone(), key };
        // Afterwards: the run must not look idle and without a wait in between.
        drop(self);
        std::future::pending().await
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let steps = self.0.run_steps();
        steps.state().busy -= 1;
        steps.waiting.wake();
        self.0.stop().rouse();
    }
}

struct Waiting {
    context: JobContext,
    key: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.context.run_steps().state().waits.remove(&self.key);
    }
}
