//! How far jobs have got.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};

use super::{end, error::OutputError};
use crate::{
    backend::{Backend, reports},
    clock::{Clock, SystemClock},
    executing::Executor,
    global::{self, NoGlobalBackend},
    manage::stored,
    model::{BackendError, Filter, JobHandle, JobId, JobStatus, Progress},
};

/// How far the jobs of an executor have got: every executor has it.
///
/// `use rexecutor::prelude::*;` brings it into scope.
pub trait ProgressExt: Executor + Sized {
    /// How far a job has got, by what its newest attempt that said anything [has said](crate::JobContext::progress); `None`: none has,
    /// or there is no such job.
    ///
    /// It is at most a third of a second old.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or cannot do this.
    fn progress(
        job: impl Into<JobHandle<Self>> + Send,
    ) -> impl Future<Output = Result<Option<Progress>, OutputError>> + Send {
        async move { Self::progress_on_backend(job, &*global::backend()?).await }
    }

    /// [`progress`](Self::progress) on a backend of your choice.
    ///
    /// # Errors
    ///
    /// When the backend fails or cannot do this.
    fn progress_on_backend<B: Backend + ?Sized>(
        job: impl Into<JobHandle<Self>> + Send,
        backend: &B,
    ) -> impl Future<Output = Result<Option<Progress>, OutputError>> + Send {
        let job = job.into().id();
        async move {
            match end::find::<Self, B>(backend, job).await? {
                Some(_) => Ok(of(backend, job).await?),
                None => Ok(None),
            }
        }
    }

    /// Follows a job: gives what it says whenever that has changed, looking twice a second, until the job has ended or is gone.
    fn follow(job: impl Into<JobHandle<Self>>) -> Follow {
        Follow::new::<Self>(job.into().id(), global::backend())
    }

    /// [`follow`](Self::follow) on a backend of your choice, of which a clone is held meanwhile.
    fn follow_on_backend<B: Backend + Clone>(job: impl Into<JobHandle<Self>>, backend: &B) -> Follow {
        Follow::new::<Self>(job.into().id(), Ok(Arc::new(backend.clone())))
    }
}

impl<E: Executor> ProgressExt for E {}

/// What is stored of a job. What cannot be read was written by another version of the program: it is only for people.
pub(super) async fn of<B: Backend + ?Sized>(backend: &B, job: JobId) -> Result<Option<Progress>, BackendError> {
    let progress = reports(backend)?.reported(job).await?;
    Ok(progress.and_then(|progress| serde_json::from_str(&progress).ok()))
}

/// How often a job that is followed is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What a job says while it runs: [`ProgressExt::follow`] makes it. It is a [`Stream`].
///
/// # Cancel safety
///
/// [`next`](Self::next) loses nothing when it is dropped.
#[must_use = "nothing is looked at until it is polled"]
pub struct Follow(BoxStream<'static, Result<Progress, OutputError>>);

impl Follow {
    fn new<E: Executor>(job: JobId, backend: Result<Arc<dyn Backend>, NoGlobalBackend>) -> Self {
        let backend = match backend {
            Ok(backend) => backend,
            Err(error) => return Self(stream::once(async move { Err(error.into()) }).boxed()),
        };
        let start = Following {
            backend,
            job,
            filter: stored::<E>().and(Filter::IdIn(vec![job])),
            last: None,
            stage: Stage::Runs,
        };
        Self(stream::unfold(start, Following::next).boxed())
    }

    /// What it says next; `None`: it has ended.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or cannot do this; nothing follows then.
    pub async fn next(&mut self) -> Option<Result<Progress, OutputError>> {
        self.0.next().await
    }
}

impl Stream for Follow {
    type Item = Result<Progress, OutputError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").finish_non_exhaustive()
    }
}

struct Following {
    backend: Arc<dyn Backend>,
    job: JobId,
    filter: Filter,
    last: Option<Progress>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Runs,
    /// It has ended a moment ago: its last words may come yet.
    Ended,
    Over,
}

impl Following {
    async fn next(mut self) -> Option<(Result<Progress, OutputError>, Self)> {
        while self.stage != Stage::Over {
            let status = match self.look().await {
                Ok((status, progress)) => {
                    let is_over = self.stage == Stage::Ended || status.is_none();
                    let has_ended = status.is_some_and(JobStatus::is_finished);
                    if is_over {
                        self.stage = Stage::Over;
                    } else if has_ended {
                        self.stage = Stage::Ended;
                    }
                    if progress.is_some() && progress != self.last {
                        self.last.clone_from(&progress);
                        return progress.map(|progress| (Ok(progress), self));
                    }
                    status
                }
                Err(error) => {
                    self.stage = Stage::Over;
                    return Some((Err(error.into()), self));
                }
            };
            if status.is_some() && self.stage != Stage::Over {
                SystemClock.sleep(LOOK).await;
            }
        }
        None
    }

    async fn look(&self) -> Result<(Option<JobStatus>, Option<Progress>), BackendError> {
        let row = self.backend.query(&self.filter, 1).await?.pop();
        Ok(match row {
            Some(row) => (Some(row.status), of(&*self.backend, self.job).await?),
            None => (None, None),
        })
    }
}
