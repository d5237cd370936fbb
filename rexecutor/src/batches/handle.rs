//! What can be asked of a batch, and done to it.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{batch::held, error::BatchError, job::IntoJob, wait::BatchWait};
use crate::{
    backend::{
        Backend, Inspect,
        flows::{FlowError, FlowState, FlowsIn, flows},
    },
    builder::EnqueueError,
    context::JobContext,
    global::{self, NoGlobalBackend},
    model::{AmendError, BatchSummary, Enqueued, ExecutorName, FlowCounts, FlowId, JobId, JobStatus, NewJob},
};

/// How many jobs are looked at in one call.
const PAGE: usize = 500;

/// A batch that was enqueued. It is cheap to clone.
///
/// A job of the batch takes it as a parameter, as does a callback; a job that may be part of a batch asks [`of`](Self::of).
///
/// ```
/// use rexecutor::{batches::{BatchError, BatchHandle}, prelude::*};
///
/// #[job]
/// async fn crawl(depth: u32, batch: BatchHandle) -> Result<(), BatchError> {
///     if depth > 0 {
///         // The batch finishes when these have ended, too.
///         batch.add_all([depth - 1, depth - 1].map(|depth| Crawl::builder().with_data(depth))).await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct BatchHandle {
    id: FlowId,
    /// `None`: the global one.
    backend: Option<Arc<dyn Backend>>,
}

impl BatchHandle {
    /// The batch with this number, on the global backend. Nothing is asked yet.
    pub fn global(id: FlowId) -> Self {
        Self { id, backend: None }
    }

    /// The batch with this number, on a backend of your choice, of which a clone is held.
    pub fn on_backend<B: Backend + Clone>(id: FlowId, backend: &B) -> Self {
        Self { id, backend: Some(held(backend)) }
    }

    /// The batch that the job which runs in this context is part of, or whose callback it is; `None`: there is none.
    pub fn of(context: &JobContext) -> Option<Self> {
        let of_summary = || BatchSummary::of(context).ok().flatten().map(|summary| summary.id);
        let id = context.row().extras.flow.or_else(of_summary)?;
        Some(Self { id, backend: context.backend().cloned() })
    }

    /// Its number.
    pub fn id(&self) -> FlowId {
        self.id
    }

    pub(crate) fn backend(&self) -> Result<Arc<dyn Backend>, NoGlobalBackend> {
        self.backend.clone().map_or_else(global::backend, Ok)
    }

    pub(super) async fn state(&self, backend: &dyn Backend) -> Result<FlowState, BatchError> {
        let found = flows(backend)?.find(self.id).await?;
        Ok(found.ok_or(FlowError::NotFound(self.id.into()))?)
    }

    /// How the batch stands. One that has finished stays as it was then, whatever becomes of its jobs.
    ///
    /// It counts the jobs in an index, which takes some milliseconds for 100,000.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such batch, or the backend fails.
    pub async fn status(&self) -> Result<BatchStatus, BatchError> {
        Ok(BatchStatus::of(self.state(&*self.backend()?).await?))
    }

    /// Waits until the batch has finished, and says what it has come to.
    ///
    /// It is woken by the end of the batch, also in another process: within milliseconds on PostgreSQL, and within the interval at which an
    /// SQLite file is looked at. Any number of callers share one listener. Give it a time limit with [`within`](BatchWait::within). It
    /// needs a tokio runtime with timers.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such batch, the time limit is over, or the backend fails for good.
    pub fn wait(&self) -> BatchWait {
        BatchWait::new(self.clone())
    }

    /// Adds a job to the batch, which must not have finished: from inside of one of its jobs that is sure.
    ///
    /// # Errors
    ///
    /// When no global backend is set, the job is not acceptable, the batch has finished or was cancelled, or the backend fails.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the job may or may not have been stored.
    pub async fn add(&self, job: impl IntoJob) -> Result<Enqueued, BatchError> {
        let answers = self.add_jobs(vec![job.into_job()?]).await?;
        let none = || crate::model::BackendError::message("the backend answered for no job where one was enqueued");
        Ok(answers.first().copied().ok_or_else(none)?)
    }

    /// Adds jobs to the batch: all of them or none. The answers are in their order.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the jobs may or may not have been stored.
    pub async fn add_all<J: IntoJob>(&self, jobs: impl IntoIterator<Item = J>) -> Result<Vec<Enqueued>, BatchError> {
        let jobs = jobs.into_iter().map(IntoJob::into_job).collect::<Result<Vec<NewJob>, EnqueueError>>()?;
        self.add_jobs(jobs).await
    }

    /// A job of this batch, to be stored in the step that completes another one of its jobs:
    /// [`context.enqueue_on_success(batch.encode(job)?)`](crate::JobContext::enqueue_on_success). The batch does not finish in between.
    ///
    /// # Errors
    ///
    /// When the job is not acceptable.
    pub fn encode(&self, job: impl IntoJob) -> Result<NewJob, BatchError> {
        Ok(job.into_job()?.with_flow(self.id))
    }

    async fn add_jobs(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, BatchError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(flows(&*self.backend()?)?.add(self.id, jobs).await?)
    }

    /// Adds jobs to the batch in a transaction of the application's, on the database of `backend`. Keep it short: until it ends, nobody can
    /// say whether the batch has finished.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add), and when the transaction is on another database. After an error of the database the transaction is of no
    /// more use.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the transaction may or may not have the jobs: roll it back.
    pub async fn add_in<J: IntoJob, T: ?Sized, B: FlowsIn<T> + ?Sized>(
        &self,
        jobs: impl IntoIterator<Item = J>,
        backend: &B,
        transaction: &mut T,
    ) -> Result<Vec<Enqueued>, BatchError> {
        let jobs = jobs.into_iter().map(IntoJob::into_job).collect::<Result<Vec<NewJob>, EnqueueError>>()?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(backend.add_in(transaction, self.id, jobs).await?)
    }

    /// Cancels the batch as a whole: jobs that wait end at once, those that run are [asked to stop](crate::JobContext::cancellation), and no
    /// job can be added any more. Gives how many jobs were cancelled or asked. Callbacks come as they would otherwise.
    ///
    /// Of a large batch some hundred jobs are cancelled in one transaction; after an error, call it again.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such batch, it has finished, or the backend fails.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped some of the jobs may have been cancelled.
    pub async fn cancel(&self, reason: impl fmt::Display + Send) -> Result<usize, BatchError> {
        let reason = reason.to_string().replace('\0', "\u{fffd}");
        Ok(flows(&*self.backend()?)?.cancel_flow(self.id, reason).await?)
    }

    /// Runs the discarded jobs again, and enqueues all callbacks again when their time comes: of a batch that has finished, the counts begin
    /// anew with the jobs that are left. Gives how many jobs are run again.
    ///
    /// A job that is [rerun](crate::ExecutorExt::rerun_job) by itself does not have callbacks repeated that have come.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such batch, or the backend fails; then call it again.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped some of the jobs may run again without the callbacks.
    pub async fn rerun_discarded(&self) -> Result<usize, BatchError> {
        let backend = self.backend()?;
        self.state(&*backend).await?;
        let (mut count, mut last) = (0, None);
        loop {
            let page = self.members(&*backend, JobStatus::Discarded, last).await?;
            for (id, executor) in &page {
                last = Some(*id);
                match Inspect::rerun(&*backend, executor, *id).await {
                    Ok(()) => count += 1,
                    Err(AmendError::Backend(error)) => return Err(error.into()),
                    // Somebody else was faster, or another job stands in its way.
                    Err(_) => {}
                }
            }
            if page.len() < PAGE {
                break;
            }
        }
        // Afterwards: while nothing of it runs, it would end at once.
        flows(&*backend)?.reopen(self.id).await?;
        Ok(count)
    }

    async fn members(
        &self,
        backend: &dyn Backend,
        status: JobStatus,
        after: Option<JobId>,
    ) -> Result<Vec<(JobId, ExecutorName)>, BatchError> {
        Ok(flows(backend)?.members(self.id, status, after, PAGE).await?)
    }

    /// The jobs of the batch that have this status, by their numbers, at most 500 of them with a higher number than `after`.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails.
    pub async fn jobs(&self, status: JobStatus, after: Option<JobId>) -> Result<Vec<JobId>, BatchError> {
        let members = self.members(&*self.backend()?, status, after).await?;
        Ok(members.into_iter().map(|(id, _)| id).collect())
    }
}

impl fmt::Debug for BatchHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BatchHandle").field(&self.id.0).finish()
    }
}

/// How a batch stands. As JSON it is what a web page may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BatchStatus {
    /// Its number.
    pub id: FlowId,
    /// What it is called.
    pub name: String,
    /// How many of its jobs stand where.
    pub counts: FlowCounts,
    /// The jobs that were discarded, by their numbers, the first [`MOST_FAILED`](BatchSummary::MOST_FAILED) of them.
    pub failed: Vec<JobId>,
    /// Why it was cancelled as a whole, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<String>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When its last job ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

impl BatchStatus {
    fn of(state: FlowState) -> Self {
        let FlowState { id, flow, created_at, counts, failed } = state;
        let (counts, failed) = match flow.end() {
            Some(end) => (end.counts, end.failed.clone()),
            None => (counts, failed),
        };
        Self {
            id,
            name: flow.name().to_owned(),
            counts,
            failed,
            cancelled: flow.cancelled().map(str::to_owned),
            created_at,
            finished_at: flow.finished_at(),
        }
    }

    /// Whether all of its jobs have ended.
    pub fn is_finished(&self) -> bool {
        self.finished_at.is_some()
    }
}
