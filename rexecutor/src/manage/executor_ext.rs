//! What can be done with the stored jobs of an executor.

use super::{
    change::change,
    error::JobsError,
    find::{JobsOf, find},
    names::{name_of, stored},
};
use crate::{
    backend::{self, Backend, Inspect},
    builder::JobBuilder,
    executing::{CancellationReason, Executor, Rerun},
    global,
    model::{AmendError, Filter, JobId, LimitChange, Marks, Pause, Scope},
    typed::{Job, UndecodedJob, Where},
    validate,
};

/// What can be done with the jobs of an [`Executor`]: every executor has it.
///
/// `use rexecutor::prelude::*;` brings it into scope.
pub trait ExecutorExt: Executor + Sized {
    /// Begins to build a job of this kind.
    fn builder<'a>() -> JobBuilder<'a, Self> {
        JobBuilder::new()
    }

    /// Cancels a job: at once if it is blocked or waits, or was discarded and [halts](crate::executor::OnDiscard::Halt) its line; if it is executing, it is asked to stop, on whichever node it runs.
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
        async move { Ok(backend.cancel(&name_of::<Self, B>(job, backend).await?, job, reason).await?) }
    }

    /// Makes a job due now, with all its attempts, whether it is finished or waits. One that was cancelled while it was blocked
    /// is not blocked again.
    ///
    /// A complete job runs once more: whoever reruns it wants its effects a second time. Where [`Executor::RERUN`] says
    /// [`Rerun::Never`], it is refused instead. A finished job that is unique is not
    /// rerun while another one with its key waits or runs, whatever its criteria say.
    ///
    /// # Errors
    ///
    /// When no global backend is set, no job of this executor has this number, it is executing or blocked, another one has its
    /// key ([`AmendError::Duplicate`]), or the backend fails.
    fn rerun_job(job: impl Into<JobId> + Send) -> impl Future<Output = Result<(), JobsError>> + Send {
        async move { Self::rerun_job_on_backend(job, &*global::backend()?).await }
    }

    /// [`rerun_job`](Self::rerun_job) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When no job of this executor has this number, it is executing or blocked, another one has its key, or the backend fails.
    fn rerun_job_on_backend<B: Inspect + ?Sized>(
        job: impl Into<JobId> + Send,
        backend: &B,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        let job = job.into();
        async move {
            let executor = name_of::<Self, B>(job, backend).await?;
            match Self::RERUN {
                Rerun::Always => backend.rerun(&executor, job).await?,
                Rerun::Never => backend.rerun_unless_complete(&executor, job).await?,
            }
            Ok(())
        }
    }

    /// Lets a job run that was enqueued [blocked](JobBuilder::blocked), as soon as it is due; or those that wait behind a discarded job
    /// which [halts](crate::executor::OnDiscard::Halt) their line. That one stays discarded.
    ///
    /// # Errors
    ///
    /// When no global backend is set, no job of this executor has this number, it is not blocked and halts no line, it is a task of a
    /// workflow that waits for those before it ([`AmendError::WaitsForTasks`]), or the backend fails.
    fn release_job(job: impl Into<JobId> + Send) -> impl Future<Output = Result<(), JobsError>> + Send {
        async move { Self::release_job_on_backend(job, &*global::backend()?).await }
    }

    /// [`release_job`](Self::release_job) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When no job of this executor has this number, it is not blocked and halts no line, it is a task of a workflow that waits for those
    /// before it ([`AmendError::WaitsForTasks`]), or the backend fails.
    fn release_job_on_backend<B: Inspect + ?Sized>(
        job: impl Into<JobId> + Send,
        backend: &B,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        let job = job.into();
        async move { Ok(backend.release(&name_of::<Self, B>(job, backend).await?, job).await?) }
    }

    /// The stored jobs of this kind that match, in the order of their numbers.
    ///
    /// A job that does not decode as [`Executor::Data`] and [`Executor::Metadata`] is left out, and a warning says how many
    /// are: [`query_undecoded_jobs`](Self::query_undecoded_jobs) gives those.
    ///
    /// # Errors
    ///
    /// When no global backend is set, the query has too many conditions, or the backend fails.
    fn query_jobs(
        query: Where<'_, Self::Data, Self::Metadata>,
    ) -> impl Future<Output = Result<JobsOf<Self>, JobsError>> + Send {
        async move { Self::query_jobs_on_backend(query, &*global::backend()?).await }
    }

    /// [`query_jobs`](Self::query_jobs) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the query has too many conditions, or the backend fails.
    fn query_jobs_on_backend<B: Inspect + ?Sized>(
        query: Where<'_, Self::Data, Self::Metadata>,
        backend: &B,
    ) -> impl Future<Output = Result<JobsOf<Self>, JobsError>> + Send {
        async move {
            let (jobs, undecoded) = find::<Self>(query, backend).await?;
            if let Some(UndecodedJob { error, .. }) = undecoded.first() {
                let (count, executor, error) = (undecoded.len(), Self::NAME, error as &dyn std::error::Error);
                tracing::warn!(count, job.executor = executor, error, "a query leaves out jobs that do not decode");
            }
            Ok(jobs)
        }
    }

    /// The stored jobs of this kind that match and do not decode as its types, in the order of their numbers, with what is
    /// stored of them: those that [`query_jobs`](Self::query_jobs) leaves out.
    ///
    /// While they wait to run, they are [deferred](crate::limits::MAX_DEFERRAL) until a node can read them, and discarded after
    /// that; [`rerun_undecoded_jobs`](Self::rerun_undecoded_jobs) brings all of these back.
    ///
    /// # Errors
    ///
    /// When no global backend is set, the query has too many conditions, or the backend fails.
    fn query_undecoded_jobs(
        query: Where<'_, Self::Data, Self::Metadata>,
    ) -> impl Future<Output = Result<Vec<UndecodedJob>, JobsError>> + Send {
        async move { Self::query_undecoded_jobs_on_backend(query, &*global::backend()?).await }
    }

    /// [`query_undecoded_jobs`](Self::query_undecoded_jobs) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the query has too many conditions, or the backend fails.
    fn query_undecoded_jobs_on_backend<B: Inspect + ?Sized>(
        query: Where<'_, Self::Data, Self::Metadata>,
        backend: &B,
    ) -> impl Future<Output = Result<Vec<UndecodedJob>, JobsError>> + Send {
        async move { Ok(find::<Self>(query, backend).await?.1) }
    }

    /// Makes all jobs of this kind due now, with all their attempts, that no node could read when they last were to run: those
    /// that wait for a version of the program that can, and those that were discarded because none came. Returns how many.
    ///
    /// It is for after such a version was deployed. A unique job stays as it is where another one has taken its place.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails. Some may be due by then; calling it again is safe.
    fn rerun_undecoded_jobs() -> impl Future<Output = Result<usize, JobsError>> + Send {
        async move { Self::rerun_undecoded_jobs_on_backend(&*global::backend()?).await }
    }

    /// [`rerun_undecoded_jobs`](Self::rerun_undecoded_jobs) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the backend fails. Some may be due by then; calling it again is safe.
    fn rerun_undecoded_jobs_on_backend<B: Inspect + ?Sized>(
        backend: &B,
    ) -> impl Future<Output = Result<usize, JobsError>> + Send {
        async move {
            let filter = stored::<Self>().and(Filter::Marked(Marks::UNDECODED));
            let mut count = 0;
            for row in backend.query(&filter, usize::MAX).await? {
                match backend.rerun(&row.executor, row.id).await {
                    Ok(()) => count += 1,
                    // It has run since, was pruned, or another one has its key.
                    Err(AmendError::NotFound(_) | AmendError::Refused { .. } | AmendError::Duplicate { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(count)
        }
    }

    /// Stores the data, metadata, attempts, priority, tags and due time of `job`. Its other fields change nothing.
    ///
    /// What a unique job is compared by goes with its data, as [`Executor::uniqueness`] says. A job that was enqueued with other
    /// criteria, by [`JobBuilder::unique`], keeps its key, and its data cannot change if they are a part of that.
    ///
    /// # Errors
    ///
    /// When no global backend is set, the job is not there or is executing, a field is not acceptable, another job stands in the
    /// way of the new data ([`AmendError::Duplicate`]), or the backend fails; then nothing is stored.
    fn update_job(job: Job<Self::Data, Self::Metadata>) -> impl Future<Output = Result<(), JobsError>> + Send {
        async move { Self::update_job_on_backend(job, &*global::backend()?).await }
    }

    /// [`update_job`](Self::update_job) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the job is not there or is executing, a field is not acceptable, another job stands in the way of the new data, or
    /// the backend fails; then nothing is stored.
    fn update_job_on_backend<B: Inspect + ?Sized>(
        job: Job<Self::Data, Self::Metadata>,
        backend: &B,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        let (id, executor, change) = (job.id, job.context().row().executor.clone(), change::<Self>(job));
        async move { Ok(backend.update(&executor, id, change?).await?) }
    }

    /// Stops the claiming of this executor's jobs on every node, until [`resume`](Self::resume) or the pause's own end.
    /// Once this has returned, no node claims one. What runs is left to end, as is what a node has claimed already: some
    /// milliseconds ahead, 0.4 s at most. New jobs are stored and wait; so do the ticks of a schedule, all of which start
    /// when the executor is resumed.
    ///
    /// A text is a reason without an end: `WelcomeEmail::pause("SMTP is down")`. A [`Pause`] also says by whom, and until
    /// when: `Pause::new("SMTP is down").by("ann").until(at)`. It ends then by itself, and the nodes go on. With
    /// [`Pause::cancel_running`] the jobs that run are cancelled. A reason is cut at 64 KiB. [`cluster::paused`](crate::cluster::paused) lists what is paused, and [`cluster::pause`](crate::cluster::pause)
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
        super::pause(Scope::Executor(Self::NAME.into()), pause.into(), backend)
    }

    /// Lets this executor's jobs be claimed again; returns whether it was paused, by somebody or by its
    /// [circuit breaker](crate::executor::CircuitBreaker), which is closed.
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

    /// Sets limits of this executor for all nodes while they run: each of them holds in place of what programs declare, stricter or not,
    /// also when they start again or are deployed anew, until [`reset_limits`](Self::reset_limits). A second call takes the place of the
    /// first; limits that it does not give are as declared again.
    ///
    /// Claims keep to them as soon as this has returned. What runs is left to end, and counts.
    /// [`cluster::limits`](crate::cluster::limits) lists what was set, and [`cluster::set_limits`](crate::cluster::set_limits) does the
    /// same by name.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or cannot do this. When no limit is given, one is 0, or the rate is none.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the limits may or may not be set.
    fn set_limits(change: LimitChange) -> impl Future<Output = Result<(), JobsError>> + Send {
        async move { Self::set_limits_on_backend(change, &*global::backend()?).await }
    }

    /// [`set_limits`](Self::set_limits) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// As [`set_limits`](Self::set_limits), but for the global backend.
    fn set_limits_on_backend<B: Backend + ?Sized>(
        change: LimitChange,
        backend: &B,
    ) -> impl Future<Output = Result<(), JobsError>> + Send {
        async move { super::set_limits(Self::NAME.into(), Some(change), backend).await.map(drop) }
    }

    /// Ends what [`set_limits`](Self::set_limits) has set: what programs declare holds again. Returns whether any limits were set.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or cannot do this.
    fn reset_limits() -> impl Future<Output = Result<bool, JobsError>> + Send {
        async move { Self::reset_limits_on_backend(&*global::backend()?).await }
    }

    /// [`reset_limits`](Self::reset_limits) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the backend fails or cannot do this.
    fn reset_limits_on_backend<B: Backend + ?Sized>(
        backend: &B,
    ) -> impl Future<Output = Result<bool, JobsError>> + Send {
        super::set_limits(Self::NAME.into(), None, backend)
    }
}

impl<E: Executor> ExecutorExt for E {}
