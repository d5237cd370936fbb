//! Flows: a capability of a backend, and the one function that decides what follows when jobs of a flow have ended.
//!
//! A flow is a row, and its jobs carry its number. [`StoredFlow::advance`] decides from that row and from the counts of its jobs; the
//! backend calls it under the lock of the row, and stores what follows in the same transaction.

mod callback;
mod decision;
mod ends;
mod error;
mod flow_ref;
mod graph_error;
mod list;
mod placing;
mod retry;
mod stored;
mod taken;
mod task_row;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

pub use self::{
    callback::When,
    decision::{Decision, decide, reason},
    ends::FlowEnds,
    error::FlowError,
    flow_ref::{FlowKind, FlowRef},
    graph_error::GraphError,
    list::{FlowsPage, FlowsRequest, ListedFlow},
    placing::{KnownTask, PlacedTask, Predecessor, names_of, place},
    retry::{Rerun, Retried, retry},
    stored::StoredFlow,
    taken::{Placed, TakenTask, taken_names},
    task_row::{TaskRow, UpstreamTask, result_of},
};
use super::Backend;
pub use crate::model::TaskTally;
use crate::model::{BackendError, Enqueued, ExecutorName, FlowCounts, FlowId, JobId, JobStatus, NewJob, Result};

/// Keeps flows: jobs that belong together, and what is enqueued when they end.
///
/// # Contract
///
/// - `create` and `add` are all or nothing. A job that was inserted is part of the flow; one that another stood in the way of is not.
///   A flow without jobs has ended at once.
/// - `add` stores no task again that the flow [has already](place): that is given as [existing](Enqueued::Existing).
/// - `add` is refused once the flow has ended or was cancelled. It and the decision that a flow has ended exclude each other.
/// - What [`StoredFlow::advance`] gives is stored with the flow in one transaction, under the lock of the flow's row, which is taken before
///   the jobs are counted: so each callback is enqueued once, whoever ends the last two jobs at the same time.
/// - That is done after whatever has ended jobs of a flow is stored: at once by `settle` and by whoever cancels jobs by hand, else by
///   the next `sweep_flows`, which also finds what a process that died has left undone.
/// - A job that is a [task](crate::model::Task) is blocked until its predecessors have ended. Whoever has ended a task tells those behind it,
///   once, after that is stored and under the lock of the flow's row: [`decide`] says what becomes of them, and the ends of those that are
///   skipped or cancelled are told in the same way. So each is released once, whoever ends its last two predecessors at the same time.
///   `sweep_flows` tells what a process that died has left untold.
/// - What a task gave is kept until the flow has ended, also where its row would not be kept. A task whose job was deleted before it had
///   ended has failed.
/// - Once a task of a flow that fails fast has failed, the flow is cancelled, by the same look or by the next sweep.
/// - A job of a flow that has not ended is not pruned. One that is complete and is not kept counts as complete in its flow.
/// - Once a flow has ended, every wakeup fires for [the name of flows](crate::backend::Scope::FLOWS_NAME).
pub trait Flows: Send + Sync {
    /// Stores a flow and its first jobs.
    fn create(&self, flow: StoredFlow, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Created, FlowError>>;

    /// Adds jobs to a flow that has not ended.
    fn add(&self, flow: FlowId, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>, FlowError>>;

    /// A flow as it stands.
    fn find(&self, flow: FlowId) -> BoxFuture<'_, Result<Option<FlowState>>>;

    /// Flows, the newest first. It costs a bounded number of rows, however many flows there are and however many jobs they have.
    fn list_flows<'a>(&'a self, request: &'a FlowsRequest) -> BoxFuture<'a, Result<FlowsPage>>;

    /// Cancels a flow: jobs that wait end at once, those that run are asked to stop, and none can be added. Gives how many jobs were
    /// cancelled or asked.
    fn cancel_flow(&self, flow: FlowId, reason: String) -> BoxFuture<'_, Result<usize, FlowError>>;

    /// Lets a flow that has ended go on, and its callbacks be enqueued again; returns whether it had ended.
    fn reopen(&self, flow: FlowId) -> BoxFuture<'_, Result<bool, FlowError>>;

    /// Jobs of a flow that have this status and a higher number than `after`, by their numbers.
    fn members(
        &self,
        flow: FlowId,
        status: JobStatus,
        after: Option<JobId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(JobId, ExecutorName)>>>;

    /// What a task comes after, in that order, with how these have ended and what they gave.
    fn upstream(&self, task: JobId) -> BoxFuture<'_, Result<Vec<UpstreamTask>>>;

    /// Tasks of a flow with a higher number of their job than `after`, by these numbers.
    fn tasks(&self, flow: FlowId, after: Option<JobId>, limit: usize) -> BoxFuture<'_, Result<Vec<TaskRow>>>;

    /// The task of this name, how it has ended, and what it gave.
    fn find_task(&self, flow: FlowId, name: String) -> BoxFuture<'_, Result<Option<UpstreamTask>>>;

    /// Skips a task that has not begun.
    fn skip_task(&self, flow: FlowId, task: String, reason: String) -> BoxFuture<'_, Result<(), FlowError>>;

    /// Runs the tasks again that have [failed](retry), and lets a flow that has ended go on; returns how many of them run again, at once or
    /// later.
    fn retry_tasks(&self, flow: FlowId) -> BoxFuture<'_, Result<usize, FlowError>>;

    /// Decides about flows of which nobody else has; returns about how many.
    fn sweep_flows(&self) -> BoxFuture<'_, Result<usize>>;
}

/// Stores flows inside a transaction of the application's, on the database that holds the jobs, too: they exist if and only if the
/// transaction commits, and not before.
///
/// `T` is the transaction's type.
///
/// # Contract
///
/// - It is as [`Flows::create`] and [`Flows::add`] within the transaction. Until that ends, nobody can decide about a flow that jobs were
///   added to.
/// - A transaction on another database than the backend's is refused where that can be told, before anything is written.
pub trait FlowsIn<T: ?Sized>: Send + Sync {
    /// Stores a flow and its first jobs in `transaction`.
    fn create_in<'a>(
        &'a self,
        transaction: &'a mut T,
        flow: StoredFlow,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Created, FlowError>>;

    /// Adds jobs to a flow that has not ended, in `transaction`.
    fn add_in<'a>(
        &'a self,
        transaction: &'a mut T,
        flow: FlowId,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Vec<Enqueued>, FlowError>>;
}

impl<T: ?Sized, B: FlowsIn<T> + ?Sized> FlowsIn<T> for std::sync::Arc<B> {
    fn create_in<'a>(
        &'a self,
        transaction: &'a mut T,
        flow: StoredFlow,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Created, FlowError>> {
        (**self).create_in(transaction, flow, jobs)
    }

    fn add_in<'a>(
        &'a self,
        transaction: &'a mut T,
        flow: FlowId,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<Vec<Enqueued>, FlowError>> {
        (**self).add_in(transaction, flow, jobs)
    }
}

/// The capability to keep flows, of a backend that has it.
///
/// # Errors
///
/// Names the backend and the capability, if it lacks it.
pub fn flows<B: Backend + ?Sized>(backend: &B) -> Result<&dyn Flows> {
    backend.flows().ok_or_else(|| BackendError::unsupported(backend.name(), "batches and workflows (`Backend::flows`)"))
}

/// A flow that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// Its number.
    pub id: FlowId,
    /// What became of its jobs, in their order.
    pub jobs: Vec<Enqueued>,
}

impl Created {
    /// This flow, with these jobs.
    pub fn new(id: FlowId, jobs: Vec<Enqueued>) -> Self {
        Self { id, jobs }
    }
}

/// A flow as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowState {
    /// Its number.
    pub id: FlowId,
    /// What is stored of it.
    pub flow: StoredFlow,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// How many of its jobs stand where.
    pub counts: FlowCounts,
    /// The jobs that were discarded, by their numbers, the first [`MOST_FAILED`](crate::batches::BatchSummary::MOST_FAILED) of them.
    pub failed: Vec<JobId>,
}

impl FlowState {
    /// A flow of which nothing else is known.
    pub fn new(id: FlowId, flow: StoredFlow, created_at: DateTime<Utc>) -> Self {
        Self { id, flow, created_at, counts: FlowCounts::default(), failed: Vec::new() }
    }

    /// What follows at `now` from how its jobs stand: [`StoredFlow::advance`].
    pub fn advance(&mut self, now: DateTime<Utc>) -> Vec<NewJob> {
        let Self { id, flow, created_at, counts, failed } = self;
        flow.advance(*id, *created_at, *counts, failed, now)
    }
}
