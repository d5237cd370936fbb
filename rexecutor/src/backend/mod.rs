//! What stores jobs, and what it must promise.
//!
//! A backend is five roles, each a small trait: [`Enqueue`], [`Claim`], [`Settle`], [`Maintain`] and [`Inspect`].
//! Whatever has all five is a [`Backend`]. Every sentence under `# Contract` is held by a case of the conformance suite
//! in `rexecutor-testing`.
//!
//! The engine asks in batches and a backend answers in batches; [`lifecycle`] says, in one pure function a transition,
//! what each may do to a row.

mod error;
mod filter;
pub mod lifecycle;
pub mod memory;
mod new_job;
mod row;
mod settlement;
mod shared;
mod wakeup;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

pub use self::{
    error::{AmendError, BackendError},
    filter::Filter,
    new_job::{Due, Enqueued, NewJob, Unique},
    row::JobRow,
    settlement::{Failure, Outcome, Settlement},
    wakeup::{Listeners, WakeReasons, Wakeup},
};
use crate::{
    job::{ExecutorName, JobId, Lease, NodeId},
    pruner::PruneSpec,
};

/// What a backend's operation gives.
pub type Result<T, E = BackendError> = std::result::Result<T, E>;

/// Everything that stores jobs.
pub trait Backend: Enqueue + Claim + Settle + Maintain + Inspect + std::fmt::Debug + 'static {}

impl<B: Enqueue + Claim + Settle + Maintain + Inspect + std::fmt::Debug + ?Sized + 'static> Backend for B {}

/// Takes in new jobs.
///
/// # Contract
///
/// - A call is all or nothing; once it has returned, its jobs outlive any crash that the storage itself outlives.
/// - Answers are in the order of the jobs, and numbers rise in that order.
/// - Of any number of concurrent calls with one unique key, one inserts. A later job of the same call sees the earlier.
/// - Every wakeup is woken for the executors of what became due, after it can be claimed.
pub trait Enqueue: Send + Sync {
    /// Stores jobs.
    fn enqueue(&self, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>>>;

    /// The last tick of each schedule, in the order given, and the backend's present.
    ///
    /// A schedule that is not known becomes known, with the present as its last tick: it owes nothing from before.
    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>>;

    /// Enqueues a schedule's jobs and moves its last tick to `at`, in one step, unless it is there or later already.
    ///
    /// Returns whether it was this call that did so. However many nodes call it, each tick is enqueued once.
    fn tick<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        at: DateTime<Utc>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<bool>>;
}

/// Gives due jobs to nodes.
///
/// # Contract
///
/// - Two concurrent calls never return the same job, in one process or in many.
/// - Only jobs of the executors in `slots` are touched, at most as many of each as it has free slots.
/// - An executor's jobs come by priority, then due time, then number; the answer is in that order too.
/// - Each claimed job is executing, its attempt and its lease one higher, and belongs to `node`.
/// - A node that is not a member, or is no longer one, is given none: `member` is false.
/// - A row that cannot be read as a job is not returned, and does not keep the others from being claimed.
pub trait Claim: Send + Sync {
    /// Claims due jobs for `node`.
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Demand]) -> BoxFuture<'a, Result<Claimed>>;

    /// Rings `wakeup` whenever there is something new, from the moment this method returns.
    ///
    /// The future watches for what other processes do. It ends only with an error, after which it is called again.
    fn watch(&self, wakeup: Arc<Wakeup>) -> BoxFuture<'_, Result<()>>;
}

/// Takes in how runs ended.
///
/// # Contract
///
/// - A settlement whose job is not executing under its lease changes nothing and is returned as refused.
/// - All the others are stored when the call returns without an error; after an error, calling again is safe.
/// - A job that was asked to cancel becomes cancelled, whatever its outcome.
pub trait Settle: Send + Sync {
    /// Stores how runs ended; returns the refused ones.
    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>>;
}

/// Keeps the cluster's books.
///
/// # Contract
///
/// - A node is a member from `join` until `leave`, or until it has been silent for its timeout and somebody called
///   `rescue`.
/// - `heartbeat` lists every run that is stored as the node's, in the order of the jobs' numbers: a node that does not
///   know one of them never heard of it, and gives it back.
/// - `rescue` ends the runs of nodes that are no members, and of no others: each becomes a failed attempt with
///   [`ErrorType::NodeLost`](crate::job::ErrorType::NodeLost), due again at once, or discarded if it was the last, or
///   cancelled if that was asked.
/// - `prune` deletes finished jobs that match, oldest first, at most `limit` of them.
pub trait Maintain: Send + Sync {
    /// Makes a node a member, under a number that was never used before.
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>>;

    /// Says that a node is alive, and asks what it should know.
    fn heartbeat(&self, node: NodeId) -> BoxFuture<'_, Result<Heartbeat>>;

    /// Ends a node's membership.
    fn leave(&self, node: NodeId) -> BoxFuture<'_, Result<()>>;

    /// Takes back the jobs of dead nodes; returns how many there were.
    fn rescue(&self) -> BoxFuture<'_, Result<usize>>;

    /// Deletes finished jobs; returns how many.
    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>>;
}

/// Looks at stored jobs and changes them by hand.
///
/// # Contract
///
/// - `query` answers as [`Filter::matches`] would for each job, in the order of their numbers.
/// - The others do what the function of [`lifecycle`] of the same name says, or refuse as it does, and never touch
///   another executor's job.
pub trait Inspect: Send + Sync {
    /// The jobs that match, at most `limit` of them.
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>>;

    /// Cancels a job that waits; asks one that is executing to stop, on whichever node it runs.
    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>>;

    /// Makes a job due now, with all its attempts.
    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>>;

    /// Replaces what [`JobChange`] names.
    fn update<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        change: JobChange,
    ) -> BoxFuture<'a, Result<(), AmendError>>;
}

/// How many jobs of an executor a node can start now, or soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The executor.
    pub executor: ExecutorName,
    /// Its free slots, at least 1.
    pub free: usize,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The jobs, each executor's in the order in which they start.
    pub jobs: Vec<JobRow>,
    /// How long until the next job of the asked executors that is not due yet becomes so, by the backend's clock.
    /// `None`: there is none, or the slots were all filled.
    pub next_due_in: Option<Duration>,
    /// Whether the node was a member.
    pub member: bool,
}

/// A node about to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Words for people: the host's name, say. It decides nothing.
    pub label: String,
    /// How long it may be silent before it counts as dead.
    pub timeout: Duration,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Whether the node is still a member. If not, its jobs are somebody else's now.
    pub member: bool,
    /// All that is executing as its own; nothing, if it is no member.
    pub runs: Vec<(JobId, Lease)>,
    /// Those of its runs that somebody asked to cancel.
    pub cancelled: Vec<(JobId, Lease)>,
}

/// What a schedule is known by: the same in every process that runs the same schedule with the same data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleKey(pub String);

/// The answer to [`Enqueue::schedules`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticks {
    /// The backend's present.
    pub now: DateTime<Utc>,
    /// The last tick of each schedule.
    pub last: Vec<DateTime<Utc>>,
}

/// What is to change in a stored job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobChange {
    /// The data, as JSON.
    pub data: String,
    /// The metadata, as JSON.
    pub metadata: Option<String>,
    /// How many attempts it has.
    pub max_attempts: u16,
    /// Lower numbers start first.
    pub priority: u16,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// When it is due.
    pub scheduled_at: DateTime<Utc>,
}
