//! What happened, and what should not have.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Scope, lifecycle::SET_BACK},
    batches::FlowId,
    clock::Clock,
    job::{JobId, Lease, NodeId},
};

use super::{fragile::Breaker, workflows::Placed};
use crate::TestClock;

pub(super) type RunKey = (JobId, Lease);

/// How far a run has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Running,
    /// It has returned, with this word for its outcome.
    Ended(&'static str),
    /// It has returned with this word, maybe when it had been told that it was out of time.
    EndedLate(&'static str),
    /// It was dropped before it had.
    Dropped,
}

/// Everything that is known of a simulation. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    clock: TestClock,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    trace: Vec<String>,
    broken: Vec<String>,
    pub(super) stored: BTreeSet<JobId>,
    pub(super) runs: BTreeMap<RunKey, Stage>,
    /// The place of each run among all that were claimed.
    pub(super) claimed: BTreeMap<RunKey, u64>,
    /// The place of the last run that began, of each node and executor.
    pub(super) begun: BTreeMap<(usize, String), u64>,
    /// How many runs there are, of each node and executor.
    pub(super) running: BTreeMap<(usize, String), usize>,
    pub(super) ticks: BTreeSet<DateTime<Utc>>,
    /// The ticks of the entry that was added at run time, and whether it is paused.
    pub(super) hand_ticks: BTreeSet<DateTime<Utc>>,
    pub(super) is_hand_paused: bool,
    /// The labels of members.
    pub(super) labels: BTreeMap<NodeId, String>,
    /// When each job was due that is set aside.
    pub(super) due_at: BTreeMap<JobId, DateTime<Utc>>,
    /// The circuit breaker of the executor that has one.
    pub(super) breaker: Breaker,
    /// What is paused, and until when.
    pub(super) paused: BTreeMap<Scope, Option<DateTime<Utc>>>,
    /// How many of those may run of which few may, if somebody has set that, and how many ran then.
    pub(super) scarce: Option<usize>,
    pub(super) left_of_scarce: usize,
    /// How many jobs each batch has.
    pub(super) batches: BTreeMap<FlowId, u64>,
    /// The tasks of each workflow.
    pub(super) workflows: BTreeMap<FlowId, Vec<Placed>>,
    /// When each member was last heard, in the time that nobody can set.
    heard: BTreeMap<NodeId, Duration>,
    /// When the backend was away for all: from when, until when.
    away: Vec<(Duration, Duration)>,
    /// The latest time that the clock has shown, since it was set back by more than a correction.
    latest: Option<DateTime<Utc>>,
    /// Whether the clock was set back at all.
    pub(super) was_stepped_back: bool,
    /// Whether the clock was set back by more than a correction: ticks may come again from then on, and some in between do not.
    pub(super) was_set_back: bool,
    /// Nobody looks any more.
    is_over: bool,
}

impl Record {
    pub(super) fn new(clock: TestClock) -> Self {
        Self { clock, known: Arc::default() }
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line to the trace.
    pub(super) fn note(&self, message: impl std::fmt::Display) {
        let at = (self.clock.now() - TestClock::START).num_milliseconds();
        let mut known = self.known();
        if !known.is_over {
            known.trace.push(format!("{at:>8} {message}"));
        }
    }

    /// A promise was broken.
    pub(super) fn broken(&self, message: impl std::fmt::Display) {
        self.note(format_args!("BROKEN: {message}"));
        let mut known = self.known();
        if !known.is_over {
            known.broken.push(message.to_string());
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        !self.known().broken.is_empty()
    }

    /// All of it; what comes later is not recorded.
    pub(super) fn take(&self) -> (Vec<String>, Vec<String>) {
        let mut known = self.known();
        known.is_over = true;
        (std::mem::take(&mut known.trace), std::mem::take(&mut known.broken))
    }

    /// A member has just been heard.
    pub(super) fn heard(&self, node: NodeId) {
        let now = self.clock.elapsed();
        self.known().heard.insert(node, now);
    }

    /// The backend, which was away for all, is there again.
    pub(super) fn back(&self, since: Duration) {
        self.note("the backend is back");
        self.known().away.push((since, self.clock.elapsed()));
    }

    /// Somebody has set the clock: several corrections may be more than one.
    pub(super) fn clock_was_set(&self, before: DateTime<Utc>, now: DateTime<Utc>) {
        let mut known = self.known();
        known.latest = known.latest.max(Some(before));
        if known.latest.is_none_or(|latest| latest - now <= SET_BACK) {
            return;
        }
        known.latest = Some(now);
        known.was_set_back = true;
    }

    /// A member was declared dead.
    pub(super) fn declared_dead(&self, node: NodeId, timeout: Duration) {
        let (now, known) = (self.clock.elapsed(), self.known());
        let heard = known.heard.get(&node).copied().unwrap_or(now);
        // One that is shorter than the time between two looks may be seen by nobody.
        let seen = known.away.iter().filter(|(since, until)| *until - *since >= timeout / 3);
        let away = seen.map(|(since, until)| until.saturating_sub(*since.max(&heard)));
        let silence = (now - heard).saturating_sub(away.sum());
        drop(known);
        self.note(format_args!("member {node} counts as dead after {silence:?}"));
        if silence + Duration::from_secs(1) < timeout {
            self.broken(format_args!("member {node} was declared dead after {silence:?}"));
        }
    }

    /// A run begins on a node that may have `limit` of its executor, and `all` of all.
    pub(super) fn began(&self, node: usize, executor: &str, run: RunKey, limit: usize, all: usize) {
        self.note(format_args!("node {node}: {executor} {}/{} begins", run.0, run.1.0));
        let mut known = self.known();
        let is_second = known.runs.insert(run, Stage::Running).is_some();
        let place = known.claimed.get(&run).copied();
        let last = known.begun.insert((node, executor.to_owned()), place.unwrap_or_default());
        let running = known.running.entry((node, executor.to_owned())).or_default();
        *running += 1;
        let running = *running;
        let total: usize = known.running.iter().filter(|((at, _), _)| *at == node).map(|(_, count)| count).sum();
        drop(known);
        if is_second {
            self.broken(format_args!("the run {run:?} began twice"));
        }
        if place.is_none() || place < last {
            self.broken(format_args!("the run {run:?} began out of order: {place:?} after {last:?}"));
        }
        if running > limit || total > all {
            self.broken(format_args!("node {node} runs {running} of {executor}, {total} of all"));
        }
    }

    /// A run is over.
    pub(super) fn over(&self, node: usize, executor: &str, run: RunKey, stage: Stage) {
        self.note(format_args!("node {node}: {executor} {}/{} {stage:?}", run.0, run.1.0));
        let mut known = self.known();
        known.runs.insert(run, stage);
        // A node that died has none any more; what began there in its last moment is dropped when all is over.
        if let Some(running) = known.running.get_mut(&(node, executor.to_owned())) {
            *running = running.saturating_sub(1);
        }
    }
}
