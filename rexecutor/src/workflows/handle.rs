//! What can be asked of a workflow, and done to it.

use std::fmt;

use serde::de::DeserializeOwned;

use super::{
    error::WorkflowError, graph::Graph, predecessors::TaskRef, status::WorkflowStatus, tasks::Tasks, wait::WorkflowWait,
};
use crate::{
    backend::{
        Backend,
        flows::{FlowError, TaskRow, UpstreamTask, flows},
    },
    batches::BatchHandle,
    context::JobContext,
    model::{Enqueued, FlowId, JobId, TaskResult},
};

/// How many tasks are read in one call.
const PAGE: usize = 1_000;

/// A workflow that was enqueued. It is cheap to clone.
///
/// A task of the workflow takes it as a parameter, to [add](Self::add) tasks or to [skip](Self::skip) some.
///
/// ```
/// use rexecutor::{prelude::*, workflows::{TaskRef, WorkflowError, WorkflowHandle}};
///
/// #[job]
/// async fn check(cents: u32, workflow: WorkflowHandle) -> Result<(), WorkflowError> {
///     if cents == 0 {
///         workflow.skip(&TaskRef::<()>::named("refund"), "nothing was paid").await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct WorkflowHandle(BatchHandle);

impl WorkflowHandle {
    /// The workflow with this number, on the global backend. Nothing is asked yet.
    pub fn global(id: FlowId) -> Self {
        Self(BatchHandle::global(id))
    }

    /// The workflow with this number, on a backend of your choice, of which a clone is held.
    pub fn on_backend<B: Backend + Clone>(id: FlowId, backend: &B) -> Self {
        Self(BatchHandle::on_backend(id, backend))
    }

    /// The workflow of which the job that runs in this context is a task; `None`: it is none.
    pub fn of(context: &JobContext) -> Option<Self> {
        let is_task = context.row().extras.task.is_some();
        BatchHandle::of(context).filter(|_| is_task).map(Self)
    }

    /// Its number.
    pub fn id(&self) -> FlowId {
        self.0.id()
    }

    /// How the workflow stands. One that has finished stays as it was then, whatever becomes of its jobs.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such workflow, or the backend fails.
    pub async fn status(&self) -> Result<WorkflowStatus, WorkflowError> {
        Ok(WorkflowStatus::of(self.0.status().await?))
    }

    /// Waits until all tasks have ended, and says what the workflow has come to then.
    ///
    /// It is woken by the end, also in another process: within milliseconds on PostgreSQL, and within the interval at which an SQLite file is
    /// looked at. Any number of callers share one listener. Give it a time limit with [`within`](WorkflowWait::within). It needs a tokio
    /// runtime with timers.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such workflow, the time limit is over, or the backend fails for good.
    pub fn wait(&self) -> WorkflowWait {
        WorkflowWait::new(self.0.wait())
    }

    /// Its tasks as they stand, by the numbers of their jobs. It reads all of them, a thousand at a time.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such workflow, or the backend fails.
    pub async fn tasks(&self) -> Result<Vec<TaskRow>, WorkflowError> {
        let backend = self.0.backend()?;
        let mut tasks: Vec<TaskRow> = Vec::new();
        loop {
            let last = tasks.last().map(|task| task.job);
            let page = flows(&*backend)?.tasks(self.id(), last, PAGE).await?;
            let is_last = page.len() < PAGE;
            tasks.extend(page);
            if is_last {
                if tasks.is_empty() {
                    self.status().await?;
                }
                return Ok(tasks);
            }
        }
    }

    /// Its graph as it stands, to draw it.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such workflow, or the backend fails.
    pub async fn graph(&self) -> Result<Graph, WorkflowError> {
        let name = self.status().await?.name;
        Ok(Graph::of_tasks(name, &self.tasks().await?))
    }

    async fn find(&self, name: &str) -> Result<UpstreamTask, WorkflowError> {
        let backend = self.0.backend()?;
        match flows(&*backend)?.find_task(self.id(), name.to_owned()).await? {
            Some(found) => Ok(found),
            None => {
                self.status().await?;
                Err(FlowError::NoTask(self.id(), name.to_owned()).into())
            }
        }
    }

    /// The job of a task.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such workflow or task, or the backend fails.
    pub async fn job<T>(&self, task: &TaskRef<T>) -> Result<JobId, WorkflowError> {
        Ok(self.find(task.name()).await?.job)
    }

    /// What a task gave; `None`: it has not succeeded yet, or was not kept.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such workflow or task, what it gave does not decode, or the backend fails.
    pub async fn output<T: DeserializeOwned>(&self, task: &TaskRef<T>) -> Result<Option<T>, WorkflowError> {
        let found = self.find(task.name()).await?;
        let given = match (found.result, &found.output) {
            (Some(TaskResult::Succeeded), None) => "null",
            (_, None) => return Ok(None),
            (_, Some(output)) => output,
        };
        let decoded = serde_json::from_str(given);
        decoded.map_err(|source| WorkflowError::Output { task: found.name, source })
    }

    /// Adds tasks to the workflow, which must not have finished: from inside of one of its tasks that is sure. They may come after tasks that
    /// it has already, by [`TaskRef`]s or [by name](TaskRef::named), also after ones that have ended. All of them are added, or none.
    ///
    /// A task that the workflow has already is not stored again: one of the same name and executor, with the same data, that comes after the same
    /// tasks on the same ends of theirs. It is given as [`Enqueued::Existing`]. So a task that is tried again may add what it has added before.
    /// One that is not the same needs another name.
    ///
    /// # Errors
    ///
    /// When no global backend is set, a job is not acceptable, another task has the name, a task comes after one that does not exist, the workflow has
    /// finished or was cancelled, or the backend fails.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the tasks may or may not have been stored.
    pub async fn add(&self, tasks: Tasks) -> Result<Vec<Enqueued>, WorkflowError> {
        let jobs = tasks.into_jobs()?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(flows(&*self.0.backend()?)?.add(self.id(), jobs).await?)
    }

    /// Skips a task that has not begun: its job is cancelled and shown as skipped, and so are those behind it, unless they run when
    /// [branches](crate::job::builder::JobBuilder::after_branches) meet or [in any case](crate::job::builder::JobBuilder::after_any_end).
    /// One that is skipped already stays so, with the reason that it has: a task that is tried again may skip it again.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such workflow or task, it has begun or ended, the workflow has finished or was cancelled, or the backend fails.
    pub async fn skip<T>(&self, task: &TaskRef<T>, reason: impl fmt::Display + Send) -> Result<(), WorkflowError> {
        let reason = reason.to_string().replace('\0', "\u{fffd}");
        Ok(flows(&*self.0.backend()?)?.skip_task(self.id(), task.name().to_owned(), reason).await?)
    }

    /// Cancels the workflow as a whole: tasks that wait end at once, those that run are [asked to stop](crate::JobContext::cancellation), and
    /// none can be added any more. Gives how many were cancelled or asked.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such workflow, it has finished, or the backend fails.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped some of the tasks may have been cancelled.
    pub async fn cancel(&self, reason: impl fmt::Display + Send) -> Result<usize, WorkflowError> {
        Ok(self.0.cancel(reason).await?)
    }

    /// Goes on from where it failed: tasks that were discarded or cancelled run again, each once those before it have ended again. What has
    /// succeeded or was skipped stays so. Gives how many run again.
    ///
    /// A task whose job is [rerun](crate::ExecutorExt::rerun_job) by itself does not have those behind it run again: a retry after that does,
    /// of those that were cancelled because it had failed, once it has succeeded.
    ///
    /// # Errors
    ///
    /// When no global backend is set, there is no such workflow, it was cancelled and some of its tasks still run, or the backend fails.
    pub async fn retry(&self) -> Result<usize, WorkflowError> {
        Ok(flows(&*self.0.backend()?)?.retry_tasks(self.id()).await?)
    }
}

impl fmt::Debug for WorkflowHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkflowHandle").field(&self.id().0).finish()
    }
}
