//! What can be done with the stored jobs of an executor: cancelling, rerunning, releasing, finding and updating them, and
//! pausing all of them.

use crate::{
    backend::{self, Backend, Inspect},
    builder::JobBuilder,
    executing::{CancellationReason, Executor},
    global::{self, NoGlobalBackend},
    model::{AmendError, BackendError, Filter, FilterError, JobChange, JobId, Pause, Scope},
    typed::{DecodeError, Job, Where},
    validate,
};

type JobsOf<E> = Vec<Job<<E as Executor>::Data, <E as Executor>::Metadata>>;

/// Why stored jobs could not be found or changed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum JobsError {
    /// No global backend is set.
    #[error(transparent)]
    NoGlobalBackend(#[from] NoGlobalBackend),
    /// The job is not there, or its status does not allow it.
    #[error(transparent)]
    Amend(#[from] AmendError),
    /// A field of the job is not acceptable.
    #[error(transparent)]
    Invalid(#[from] validate::InvalidJob),
    /// A stored job does not decode as this executor's types.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A value to compare with, or to store, does not encode as JSON.
    #[error("could not encode a value for `{0}`")]
    Encode(&'static str, #[source] serde_json::Error),
    /// The condition is one that cannot be asked.
    #[error(transparent)]
    Condition(FilterError),
    /// The backend failed, or cannot do this.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

crate::debug_as_sentence!(JobsError);

impl JobsError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Amend(error) => error.is_transient(),
            Self::Backend(error) => error.is_transient(),
            Self::NoGlobalBackend(_) | Self::Invalid(_) | Self::Decode(_) => false,
            Self::Encode(..) | Self::Condition(_) => false,
        }
    }
}

/// What can be done with the jobs of an [`Executor`]: every executor has it.
///
/// `use rexecutor::prelude::*;` brings it into scope.
pub trait ExecutorExt: Executor + Sized {
    /// Begins to build a job of this kind.
    fn builder<'a>() -> JobBuilder<'a, Self> {
        JobBuilder::new()
    }

    /// Cancels a job: at once if it is blocked or waits; if it is executing, it is asked to stop, on whichever node it runs.
    ///
    /// # Errors
    ///
    /// When no global backend is set, no job of this executor has this number, it is finished already, or the backend
    /// fails.
    fn cancel_job(
        job: impl Into<JobId> + Send,
        reason: Box<dyn CancellationReason>,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        async move { Self::cancel_job_on_backend(job, reason, &*global::backend()?).await }
    }

    /// [`cancel_job`](Self::cancel_job) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When no job of this executor has this number, it is finished already, or the backend fails.
    fn cancel_job_on_backend<B: Inspect + ?Sized>(
        job: impl Into<JobId> + Send,
        reason: Box<dyn CancellationReason>,
        backend: &B,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        let (job, reason) = (job.into(), validate::text(&reason.to_string()));
        async move { Ok(backend.cancel(&Self::NAME.into(), job, reason).await?) }
    }

    /// Makes a job due now, with all its attempts, whether it is finished or waits. One that was cancelled while it was blocked
    /// is not blocked again.
    ///
    /// # Errors
    ///
    /// When no global backend is set, no job of this executor has this number, it is executing or blocked, or the backend
    /// fails.
    fn rerun_job(job: impl Into<JobId> + Send) -> impl Future<Output = Result<(), JobsError>> + Send {
        async move { Self::rerun_job_on_backend(job, &*global::backend()?).await }
    }

    /// [`rerun_job`](Self::rerun_job) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When no job of this executor has this number, it is executing or blocked, or the backend fails.
    fn rerun_job_on_backend<B: Inspect + ?Sized>(
        job: impl Into<JobId> + Send,
        backend: &B,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        let job = job.into();
        async move { Ok(backend.rerun(&Self::NAME.into(), job).await?) }
    }

    /// Lets a job run that was enqueued [blocked](JobBuilder::blocked), as soon as it is due.
    ///
    /// # Errors
    ///
    /// When no global backend is set, no job of this executor has this number, it is not blocked, or the backend fails.
    fn release_job(job: impl Into<JobId> + Send) -> impl Future<Output = Result<(), JobsError>> + Send {
        async move { Self::release_job_on_backend(job, &*global::backend()?).await }
    }

    /// [`release_job`](Self::release_job) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When no job of this executor has this number, it is not blocked, or the backend fails.
    fn release_job_on_backend<B: Inspect + ?Sized>(
        job: impl Into<JobId> + Send,
        backend: &B,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        let job = job.into();
        async move { Ok(backend.release(&Self::NAME.into(), job).await?) }
    }

    /// The stored jobs of this kind that match, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// When no global backend is set, the query has too many conditions, a stored job no longer decodes, or the backend fails.
    fn query_jobs(
        query: Where<'_, Self::Data, Self::Metadata>,
    ) -> impl Future<Output = Result<JobsOf<Self>, JobsError>> + Send {
        async move { Self::query_jobs_on_backend(query, &*global::backend()?).await }
    }

    /// [`query_jobs`](Self::query_jobs) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the query has too many conditions, a stored job no longer decodes, or the backend fails.
    fn query_jobs_on_backend<B: Inspect + ?Sized>(
        query: Where<'_, Self::Data, Self::Metadata>,
        backend: &B,
    ) -> impl Future<Output = Result<JobsOf<Self>, JobsError>> + Send {
        async move {
            let filter = query.into_filter().map_err(|error| match error {
                FilterError::Encode(error) => JobsError::Encode(Self::NAME, error),
                error => JobsError::Condition(error),
            })?;
            let filter = Filter::Executor(Self::NAME.into()).and(filter);
            let rows = backend.query(&filter, usize::MAX).await?;
            rows.into_iter().map(|row| Ok(Job::decode(row)?)).collect()
        }
    }

    /// Stores the data, metadata, attempts, priority, tags and due time of `job`. Its other fields change nothing.
    ///
    /// # Errors
    ///
    /// When no global backend is set, the job is not there or is executing, a field is not acceptable, or the backend
    /// fails; then nothing is stored.
    fn update_job(job: Job<Self::Data, Self::Metadata>) -> impl Future<Output = Result<(), JobsError>> + Send {
        let (id, change) = (job.id, change::<Self>(job));
        async move { Ok(global::backend()?.update(&Self::NAME.into(), id, change?).await?) }
    }

    /// [`update_job`](Self::update_job) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the job is not there or is executing, a field is not acceptable, or the backend fails; then nothing is stored.
    fn update_job_on_backend<B: Inspect + ?Sized>(
        job: Job<Self::Data, Self::Metadata>,
        backend: &B,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        let (id, change) = (job.id, change::<Self>(job));
        async move { Ok(backend.update(&Self::NAME.into(), id, change?).await?) }
    }

    /// Stops the claiming of this executor's jobs on every node, until [`resume`](Self::resume) or the pause's own end.
    /// Once this has returned, no node claims one. What runs is left to end, as is what a node has claimed already: some
    /// milliseconds ahead, 0.4 s at most. New jobs are stored and wait; so do the ticks of a schedule, all of which start
    /// when the executor is resumed.
    ///
    /// A text is a reason without an end: `WelcomeEmail::pause("SMTP is down")`. A [`Pause`] also says by whom, and until
    /// when: `Pause::new("SMTP is down").by("ann").until(at)`. It ends then by itself, and the nodes go on. A reason is cut
    /// at 64 KiB. [`cluster::paused`](crate::cluster::paused) lists what is paused, and [`cluster::pause`](crate::cluster::pause)
    /// stops all executors at once.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or cannot do this.
    fn pause(pause: impl Into<Pause> + Send) -> impl Future<Output = Result<(), JobsError>> + Send {
        async move { Self::pause_on_backend(pause, &*global::backend()?).await }
    }

    /// [`pause`](Self::pause) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the backend fails or cannot do this.
    fn pause_on_backend<B: Backend + ?Sized>(
        pause: impl Into<Pause> + Send,
        backend: &B,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        let pause = pause.into();
        async move {
            Ok(backend::control(backend)?.pause(&Scope::Executor(Self::NAME.into()), validate::pause(pause)).await?)
        }
    }

    /// Lets this executor's jobs be claimed again; returns whether it was paused.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or cannot do this.
    fn resume() -> impl Future<Output = Result<bool, JobsError>> + Send {
        async move { Self::resume_on_backend(&*global::backend()?).await }
    }

    /// [`resume`](Self::resume) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the backend fails or cannot do this.
    fn resume_on_backend<B: Backend + ?Sized>(backend: &B) -> impl Future<Output = Result<bool, JobsError>> + Send {
        async move { Ok(backend::control(backend)?.resume(&Scope::Executor(Self::NAME.into())).await?) }
    }
}

impl<E: Executor> ExecutorExt for E {}

fn change<E: Executor>(job: Job<E::Data, E::Metadata>) -> Result<JobChange, JobsError> {
    let encode = |error| JobsError::Encode(E::NAME, error);
    let mut change = JobChange::of(job.context().row());
    change.data = serde_json::to_string(&job.data).map_err(encode)?;
    change.metadata = job.metadata.as_ref().map(serde_json::to_string).transpose().map_err(encode)?;
    change.max_attempts = job.max_attempts;
    change.priority = job.priority;
    change.tags = job.tags;
    change.scheduled_at = job.scheduled_at;
    validate::change(&change, E::MAX_DATA_BYTES)?;
    validate::comes_back("data", &job.data, &change.data)?;
    if let (Some(given), Some(metadata)) = (&job.metadata, &change.metadata) {
        validate::comes_back("metadata", given, metadata)?;
    }
    Ok(change)
}
