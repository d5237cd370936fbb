//! Building a batch and enqueuing it.

use std::sync::Arc;

use super::{error::BatchError, handle::BatchHandle, job::IntoJob};
use crate::{
    backend::{
        Backend,
        flows::{Created, FlowsIn, StoredFlow, When, flows},
    },
    global,
    model::{NewJob, Threshold},
    validate::{self, InvalidJob},
};

/// A batch that is being built: any number of jobs, of any executors, and callbacks. [`enqueue`](Self::enqueue) ends it.
///
/// A callback is an ordinary job, which is no part of the batch. It takes a [`BatchSummary`](super::BatchSummary) as a parameter after its
/// data. It cannot be unique, nor blocked.
///
/// A job of the batch counts as ended when it is complete, cancelled or discarded; one that waits for a retry does not. A unique job that
/// finds another one in its way is not inserted, and does not count. A batch without jobs finishes at once.
///
/// # Examples
///
/// ```
/// use rexecutor::{backend::memory::InMemoryBackend, batches::{Batch, Threshold}, prelude::*};
///
/// #[job]
/// async fn import(_page: u32) {}
///
/// #[job]
/// async fn say(_what: String) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # rexecutor::set_global_backend(InMemoryBackend::new())?;
/// let say = |what: &str| Say::builder().with_data(what.to_owned());
/// let batch = Batch::new("nightly import")
///     .jobs((0..1_000).map(|page| Import::builder().with_data(page)))
///     .on_progress(Threshold::Percent(50), say("half of it is done"))
///     .on_discard(say("a page cannot be imported"))
///     .on_success(say("all is well"))
///     .on_finished(say("it is over"))
///     .enqueue()
///     .await?;
/// println!("batch {} has {} jobs", batch.id(), batch.status().await?.counts.total());
/// # Ok(())
/// # }
/// ```
///
/// ```text
/// batch 1 has 1000 jobs
/// ```
#[must_use = "a batch enqueues nothing until `enqueue` is called and awaited"]
#[derive(Debug)]
pub struct Batch {
    flow: StoredFlow,
    jobs: Vec<NewJob>,
    /// What is wrong with it, first of all.
    error: Option<BatchError>,
}

impl Batch {
    /// A batch without jobs. The name, of 1 to 255 bytes, is for people: two batches may have the same.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let error = validate::batch_name(&name).err().map(BatchError::from);
        Self { flow: StoredFlow::batch(name), jobs: Vec::new(), error }
    }

    /// Adds a job.
    pub fn job(mut self, job: impl IntoJob) -> Self {
        match job.into_job() {
            Ok(job) => self.jobs.push(job),
            Err(error) => self.fail(error),
        }
        self
    }

    /// Adds jobs.
    pub fn jobs<J: IntoJob>(self, jobs: impl IntoIterator<Item = J>) -> Self {
        jobs.into_iter().fold(self, Self::job)
    }

    /// Enqueues this job when all jobs have ended, and all of them have succeeded.
    pub fn on_success(self, callback: impl IntoJob) -> Self {
        self.on(When::Succeeded, callback)
    }

    /// Enqueues this job when all jobs have ended, in whatever way.
    pub fn on_finished(self, callback: impl IntoJob) -> Self {
        self.on(When::Finished, callback)
    }

    /// Enqueues this job as soon as the first job is discarded.
    pub fn on_discard(self, callback: impl IntoJob) -> Self {
        self.on(When::Discarded, callback)
    }

    /// Enqueues this job as soon as so many jobs have ended, in whatever way. A batch may have several of these.
    ///
    /// A batch that waits for one counts its jobs whenever some of them have ended.
    pub fn on_progress(mut self, threshold: Threshold, callback: impl IntoJob) -> Self {
        let problem = match threshold {
            Threshold::Jobs(0) => Some("0 jobs; the least is 1".to_owned()),
            Threshold::Percent(percent @ (0 | 101..)) => Some(format!("{percent} percent; give 1 to 100")),
            Threshold::Jobs(_) | Threshold::Percent(_) => None,
        };
        if let Some(problem) = problem {
            self.fail(InvalidJob::new("threshold", problem));
        }
        self.on(When::Progress(threshold), callback)
    }

    fn on(mut self, when: When, callback: impl IntoJob) -> Self {
        match callback.into_job() {
            Ok(job) if job.unique.is_some() => self.fail(InvalidJob::new(
                "unique",
                "a callback is enqueued once anyway, and cannot be unique: whether it may be stored would depend on other jobs",
            )),
            Ok(job) if job.blocked => self.fail(InvalidJob::new("blocked", "a callback cannot be blocked")),
            Ok(job) => self.flow = self.flow.with_callback(when, &job),
            Err(error) => self.fail(error),
        }
        self
    }

    fn fail(&mut self, error: impl Into<BatchError>) {
        self.error.get_or_insert(error.into());
    }

    /// Enqueues the batch on the global backend, and returns once it and all of its jobs are stored.
    ///
    /// It is all or nothing. However large the batch is, a database gets it in pieces of 1,000 jobs or 4 to 8 MiB, in one transaction.
    ///
    /// # Errors
    ///
    /// When no global backend is set, the name, a job or a callback is not acceptable, or the backend fails. After an error of the backend
    /// the batch may have been stored nevertheless, if only the answer was lost.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the batch may or may not have been stored.
    pub async fn enqueue(self) -> Result<BatchHandle, BatchError> {
        let backend = global::backend()?;
        Ok(BatchHandle::global(self.store(&*backend).await?.id))
    }

    /// [`enqueue`](Self::enqueue) on a backend of your choice, of which the handle holds a clone.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue), but for the global backend.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the batch may or may not have been stored.
    pub async fn enqueue_to_backend<B: Backend + Clone>(self, backend: &B) -> Result<BatchHandle, BatchError> {
        let id = self.store(backend).await?.id;
        Ok(BatchHandle::on_backend(id, backend))
    }

    /// Enqueues the batch in a transaction of the application's, on the database of `backend`: it exists if and only if the transaction
    /// commits, and not before.
    ///
    /// # Errors
    ///
    /// When the name, a job or a callback is not acceptable, the transaction is on another database, or the database fails; then the
    /// transaction is of no more use.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped the transaction may or may not have the batch: roll it back.
    pub async fn enqueue_in<T: ?Sized, B: FlowsIn<T> + Backend + Clone>(
        self,
        backend: &B,
        transaction: &mut T,
    ) -> Result<BatchHandle, BatchError> {
        let Self { flow, jobs, error } = self;
        match error {
            Some(error) => Err(error),
            None => {
                let created = backend.create_in(transaction, flow, jobs).await?;
                Ok(BatchHandle::on_backend(created.id, backend))
            }
        }
    }

    async fn store<B: Backend + ?Sized>(self, backend: &B) -> Result<Created, BatchError> {
        let Self { flow, jobs, error } = self;
        match error {
            Some(error) => Err(error),
            None => Ok(flows(backend)?.create(flow, jobs).await?),
        }
    }
}

/// A backend that is held.
pub(super) fn held<B: Backend + Clone>(backend: &B) -> Arc<dyn Backend> {
    Arc::new(backend.clone())
}
