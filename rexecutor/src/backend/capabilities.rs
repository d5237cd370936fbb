//! A backend: the roles that it must have, and the capabilities that it may have beside them.

use std::time::Duration;

use chrono::{DateTime, Utc};

use futures::future::BoxFuture;

use super::{
    audit::AuditLog,
    ends::Ends,
    events::Events,
    flows::Flows,
    history::History,
    observe::Observe,
    reports::Reports,
    roles::{Claim, Enqueue, Inspect, Maintain, Settle},
    settle_in::SettleIn,
    steps::StepLog,
    streams::Streams,
};
use crate::{
    clock::{Clock, SystemClock},
    model::{
        BackendError, ChangedLimits, ExecutorName, Filter, JobId, LimitChange, NodeId, Pause, Paused, Result, Scope,
        Unserved,
    },
    schedule::{EntryAnswer, EntryStep, ScheduleEntry},
};

/// Everything that stores jobs.
///
/// Whoever writes one implements the five roles, and this trait with an empty body; the conformance suite of
/// `rexecutor-testing` says whether it keeps their contracts. What a later version adds here has a default: a backend that
/// compiles today goes on compiling, and lacks the new capability.
///
/// A backend that stands before another one, as one that counts calls, has to hand on the methods of this trait too: else
/// it lacks what the other one can do.
pub trait Backend: Enqueue + Claim + Settle + Maintain + Inspect + std::fmt::Debug + 'static {
    /// What the backend is called in errors. The default is its type.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
    }

    /// What tells it from the other backends of the process: two with the same number keep the same jobs. The default is
    /// where it lies in memory; a backend whose clones share everything gives what they have in common.
    fn instance(&self) -> usize {
        std::ptr::from_ref(self).cast::<()>().addr()
    }

    /// Checks within `timeout` that the backend answers, for health checks. The default reads one job.
    ///
    /// # Errors
    ///
    /// When the backend has not answered by then, or fails; the causes say why. It is safe to call it again.
    fn ping(&self, timeout: Duration) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let all = Filter::All(Vec::new());
            tokio::select! {
                biased;
                answer = self.query(&all, 1) => answer.map(drop),
                () = SystemClock.sleep(timeout) => {
                    Err(BackendError::transient("the backend does not answer", format!("no answer within {timeout:?}")))
                }
            }
        })
    }

    /// Why no node can work on this backend, if that is known without asking it, as when its database role may only enqueue:
    /// a node does not start then. The default is that nothing is known.
    fn node_problem(&self) -> Option<BackendError> {
        None
    }

    /// Pausing executors and the whole cluster, if it can. The default is that it cannot.
    fn control(&self) -> Option<&dyn Control> {
        None
    }

    /// Finding jobs that no node runs, if it can. The default is that it cannot.
    fn survey(&self) -> Option<&dyn Survey> {
        None
    }

    /// Keeping schedule entries, if it can. The default is that it cannot: then schedules come from code alone, and tick by
    /// [`Enqueue::tick`].
    fn entries(&self) -> Option<&dyn Entries> {
        None
    }

    /// Reading what a dashboard shows, if it can. The default is that it cannot.
    fn observe(&self) -> Option<&dyn Observe> {
        None
    }

    /// Telling of the ends of jobs to those who wait for them, if it can. The default is that it cannot: then jobs can be looked at
    /// and not waited for.
    fn ends(&self) -> Option<&dyn Ends> {
        None
    }

    /// Telling what happens to jobs, if it can. The default is that it cannot: then nobody can listen.
    fn events(&self) -> Option<&dyn Events> {
        None
    }

    /// Keeping what running jobs say of themselves, if it can. The default is that it cannot: then that is lost.
    fn reports(&self) -> Option<&dyn Reports> {
        None
    }

    /// Ending runs inside transactions of the application's, if it can. The default is that it cannot.
    fn settle_in(&self) -> Option<&dyn SettleIn> {
        None
    }

    /// Recording the steps of jobs, and taking in signals, if it can. The default is that it cannot: a job that uses them fails.
    fn step_log(&self) -> Option<&dyn StepLog> {
        None
    }

    /// Keeping what running jobs stream, if it can. The default is that it cannot: a job that does fails.
    fn streams(&self) -> Option<&dyn Streams> {
        None
    }

    /// Keeping how jobs went, if it can. The default is that it cannot: then nobody counts.
    fn history(&self) -> Option<&dyn History> {
        None
    }

    /// Keeping batches, if it can. The default is that it cannot.
    fn flows(&self) -> Option<&dyn Flows> {
        None
    }

    /// Recording what people change by hand, if it can. The default is that it cannot: then the log of the program alone tells of it.
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        None
    }

    /// Whether `join`, `heartbeat`, `rescue` and `leave` can be called on another runtime than all the rest, and wait for
    /// nothing that jobs may hold, such as the connections of a pool.
    ///
    /// A node calls them on a thread of its own then, so that it stays alive whatever its jobs do to the runtime. The
    /// default is that they cannot: connections often belong to the runtime that they were opened on. Then jobs that block
    /// every thread of the runtime for longer than the node's timeout make the node look dead.
    fn is_membership_independent(&self) -> bool {
        false
    }
}

/// Finds jobs that no node runs.
///
/// # Contract
///
/// - The executors that a member names are stored with its membership, in place of those that it named before.
/// - The answer has, by name, each executor with scheduled or retryable jobs that no living member has named, at most
///   [`Unserved::MOST_EXECUTORS`] of them. Jobs are counted up to [`Unserved::MOST_JOBS`].
/// - The answer is empty while a living member has not said what it runs, and if `node` is no member.
/// - It costs a look-up for each executor that has waiting jobs, however many jobs there are.
pub trait Survey: Send + Sync {
    /// Notes which executors this member runs; returns the executors that have waiting jobs and that no living member runs.
    fn unserved<'a>(&'a self, node: NodeId, executors: &'a [ExecutorName]) -> BoxFuture<'a, Result<Vec<Unserved>>>;
}

/// Keeps schedule entries: what enqueues which job, when, and how far it has got.
///
/// # Contract
///
/// - A step is carried out as [`EntryStep::apply`] says, on the entry as it stands, and all that follows from it is stored in
///   one transaction: the entry, the jobs, and what is cancelled. Two concurrent steps of one entry come one after the other.
/// - The steps of a call are in the order of their names, each of which is there once. All of them are carried out, or none is.
/// - An entry outlives nodes and processes.
/// - Once a step has returned that is [news](crate::schedule::Applied::is_news), every wakeup fires for
///   [the name of schedules](Scope::SCHEDULES_NAME).
pub trait Entries: Send + Sync {
    /// What is due of the entries that were added at run time, or may have a last tick ahead of the clock.
    fn due(&self) -> BoxFuture<'_, Result<DueEntries>>;

    /// Carries out steps; gives what each has come to, in their order.
    fn step(&self, steps: Vec<EntryStep>) -> BoxFuture<'_, Result<Vec<EntryAnswer>>>;

    /// The entry of this name, or all of them by name.
    fn list<'a>(&'a self, name: Option<&'a str>) -> BoxFuture<'a, Result<Vec<ScheduleEntry>>>;
}

/// Which entries are due.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DueEntries {
    /// The backend's present.
    pub now: DateTime<Utc>,
    /// The names of those that are due, at most [`MOST`](Self::MOST) of them.
    pub names: Vec<String>,
    /// When the next of the others is due.
    pub next_at: Option<DateTime<Utc>>,
}

impl DueEntries {
    /// How many names an answer has at most.
    pub const MOST: usize = 500;

    /// At this present, these are due.
    pub fn new(now: DateTime<Utc>, names: Vec<String>, next_at: Option<DateTime<Utc>>) -> Self {
        Self { now, names, next_at }
    }
}

/// Pauses and resumes executors, on all nodes, nodes by their label, jobs by their tags, and the whole cluster.
///
/// # Contract
///
/// - Once `pause` has returned, no claim that begins gives a job of the executor, on any node, until it is resumed or the
///   pause is over; no job at all, if the whole cluster is paused, or to a node whose label is; no job that has a tag which is. What
///   runs is left to end.
/// - Jobs of a paused tag may be [set aside](super::lifecycle::set_aside), and are due as they were once no tag of them is paused any
///   more, as soon as a node claims. However many they are, they keep no other job waiting for long.
/// - A pause outlives nodes and processes.
/// - Pauses of different scopes are apart: a job is given only if none of those that it is in is paused.
/// - Once a scope is resumed, every wakeup fires for all executors in it. Resuming an executor also closes its
///   [circuit breaker](super::breaker).
/// - Each limit that was set for an executor holds for claims that begin later, on any node, in place of what nodes declare, until it is
///   reset or set anew. It outlives nodes and processes. Once that has changed, every wakeup fires for the executor.
pub trait Control: Send + Sync {
    /// Stops the claiming of jobs; a second pause of the same scope takes the place of the first.
    fn pause<'a>(&'a self, scope: &'a Scope, pause: Pause) -> BoxFuture<'a, Result<()>>;

    /// Lets jobs be claimed again; returns whether this scope was paused, by somebody or by a circuit breaker.
    fn resume<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool>>;

    /// Sets limits of an executor in place of all that were set before; `None` ends them. Returns whether any were set.
    fn set_limits<'a>(&'a self, executor: &'a ExecutorName, change: Option<LimitChange>)
    -> BoxFuture<'a, Result<bool>>;

    /// The limits that were set, by executor.
    fn limits(&self) -> BoxFuture<'_, Result<Vec<ChangedLimits>>>;

    /// The jobs that are executing in this scope, by their numbers.
    fn running<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Vec<(ExecutorName, JobId)>>>;

    /// What is paused: the whole cluster first, then executors by name, then nodes by label, then tags.
    fn paused(&self) -> BoxFuture<'_, Result<Vec<Paused>>>;
}

/// The capability to pause executors, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn control<B: Backend + ?Sized>(backend: &B) -> Result<&dyn Control> {
    backend
        .control()
        .ok_or_else(|| BackendError::unsupported(backend.name(), "control of executors (`Backend::control`)"))
}

/// The capability to keep schedule entries, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn entries<B: Backend + ?Sized>(backend: &B) -> Result<&dyn Entries> {
    backend.entries().ok_or_else(|| BackendError::unsupported(backend.name(), "schedule entries (`Backend::entries`)"))
}
