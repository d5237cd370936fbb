//! Building a workflow and enqueuing it.

use chrono::TimeDelta;
use serde_json::Value;

use super::{
    error::WorkflowError,
    graph::Graph,
    handle::WorkflowHandle,
    into_task::{After, IntoTask},
    predecessors::TaskRef,
    tasks::{Included, Tasks},
};
use crate::{
    backend::{
        Backend,
        flows::{FlowsIn, StoredFlow, flows},
    },
    batches::IntoJob,
    global,
    model::{Deadline, NewJob},
    validate::{self, InvalidJob},
};

/// A workflow that is being built: a graph of jobs of any executors, of which each runs when those before it have ended.
/// [`enqueue`](Self::enqueue) ends it.
///
/// Its tasks are ordinary jobs, with their own retries, limits and priorities. None can be unique or blocked by hand.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, prelude::*, workflows::Workflow};
///
/// #[job]
/// async fn fetch(url: String) -> Result<String, String> {
///     Ok(format!("the page of {url}"))
/// }
///
/// #[job]
/// async fn count(page: Upstream<String>) -> Result<usize, String> {
///     Ok(page.0.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # rexecutor::set_global_backend(InMemoryBackend::new())?;
/// let mut workflow = Workflow::new("crawl");
/// let page = workflow.task("page", Fetch::builder().with_data("example.com".to_owned()));
/// workflow.task("length", Count::builder().after(&page));
/// let workflow = workflow.enqueue().await?;
/// print!("{}", workflow.graph().await?.to_text());
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// crawl
///   · page
///   · length  after page
/// ```
#[must_use = "a workflow enqueues nothing until `enqueue` is called and awaited"]
#[derive(Debug)]
pub struct Workflow {
    flow: StoredFlow,
    tasks: Tasks,
    deadline: Option<TimeDelta>,
}

impl Workflow {
    /// A workflow without tasks. One that is enqueued without any has succeeded at once. The name, of 1 to 255 bytes, is for people: two
    /// workflows may have the same.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let mut tasks = Tasks::new();
        if let Err(error) = validate::workflow_name(&name) {
            tasks.fail(error);
        }
        Self { flow: StoredFlow::workflow(name), tasks, deadline: None }
    }

    /// Adds a task; see [`Tasks::task`].
    pub fn task<J: IntoTask>(&mut self, name: impl Into<String>, job: J) -> TaskRef<J::Output> {
        self.tasks.task(name, job)
    }

    /// Adds a task whose job was built elsewhere; see [`Tasks::add`].
    pub fn add(&mut self, name: impl Into<String>, job: impl IntoJob, after: After) -> TaskRef<Value> {
        self.tasks.add(name, job, after)
    }

    /// Adds a graph as a part of this one; see [`Tasks::include`].
    pub fn include(&mut self, prefix: impl Into<String>, tasks: Tasks) -> Included {
        self.tasks.include(prefix, tasks)
    }

    /// Cancels all that is left as soon as a task has failed. The default is that what does not come after it goes on.
    pub fn fail_fast(self) -> Self {
        Self { flow: self.flow.with_fail_fast(true), ..self }
    }

    /// After which time, from when it is enqueued, there is no use in it any more: its tasks do not start then, are stopped if they run, and
    /// fail. A task may have a shorter one of its own; what is added later does not have it.
    pub fn with_deadline(mut self, deadline: TimeDelta) -> Self {
        if deadline <= TimeDelta::zero() {
            self.tasks.fail(InvalidJob::new("deadline", format!("{deadline}; it must lie ahead")));
        }
        self.deadline = Some(deadline);
        self
    }

    /// Its graph as it stands, to draw it.
    pub fn graph(&self) -> Graph {
        Graph::of_jobs(self.flow.name(), self.tasks.jobs())
    }

    /// Enqueues the workflow on the global backend, and returns once it and all of its tasks are stored.
    ///
    /// It is all or nothing.
    ///
    /// # Errors
    ///
    /// When no global backend is set, the name or a job is not acceptable, the tasks are no graph, one takes what those before it do not
    /// give, or the backend fails. After an error of the backend the workflow may have been stored nevertheless, if only the answer was lost.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the workflow may or may not have been stored.
    pub async fn enqueue(self) -> Result<WorkflowHandle, WorkflowError> {
        let (flow, jobs) = self.ready()?;
        let backend = global::backend()?;
        Ok(WorkflowHandle::global(flows(&*backend)?.create(flow, jobs).await?.id))
    }

    /// [`enqueue`](Self::enqueue) on a backend of your choice, of which the handle holds a clone.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue), but for the global backend.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the workflow may or may not have been stored.
    pub async fn enqueue_to_backend<B: Backend + Clone>(self, backend: &B) -> Result<WorkflowHandle, WorkflowError> {
        let (flow, jobs) = self.ready()?;
        Ok(WorkflowHandle::on_backend(flows(backend)?.create(flow, jobs).await?.id, backend))
    }

    /// Enqueues the workflow in a transaction of the application's, on the database of `backend`: it exists if and only if the transaction
    /// commits, and not before.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue), but for the global backend, and when the transaction is on another database. After an error of the
    /// database the transaction is of no more use.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the transaction may or may not have the workflow: roll it back.
    pub async fn enqueue_in<T: ?Sized, B: FlowsIn<T> + Backend + Clone>(
        self,
        backend: &B,
        transaction: &mut T,
    ) -> Result<WorkflowHandle, WorkflowError> {
        let (flow, jobs) = self.ready()?;
        Ok(WorkflowHandle::on_backend(backend.create_in(transaction, flow, jobs).await?.id, backend))
    }

    fn ready(self) -> Result<(StoredFlow, Vec<NewJob>), WorkflowError> {
        let Self { flow, mut tasks, deadline } = self;
        if let Some(deadline) = deadline {
            tasks.change_jobs(|job| match job.extras.deadline {
                Some(Deadline::At(_)) => job,
                Some(Deadline::In(own)) if own <= deadline => job,
                _ => job.with_deadline(Deadline::In(deadline)),
            });
        }
        Ok((flow, tasks.into_graph()?))
    }
}
