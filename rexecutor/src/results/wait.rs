//! Waiting for a job.

use std::{fmt, future::IntoFuture, marker::PhantomData, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::{
    end,
    error::OutputError,
    outcome::{self, Outcome},
};
use crate::{
    backend::Backend,
    builder::EnqueueError,
    clock::{Clock, SystemClock},
    context::warn_of_itself,
    executing::HasOutput,
    global::NoGlobalBackend,
    model::{BackendError, JobId, NewJob},
};

/// What is waited for.
pub(super) enum Begin {
    Stored(JobId),
    New(Result<Box<NewJob>, EnqueueError>),
}

/// A wait for a job, which begins when it is awaited; [`OutputExt::wait`](super::OutputExt::wait) and
/// [`OutputExt::run`](super::OutputExt::run) make it.
///
/// # Cancel safety
///
/// When the future is dropped nothing happens to the job. Whether one that is to be enqueued is stored is not known then.
#[must_use = "nothing is waited for until it is awaited"]
pub struct Wait<E> {
    begin: Begin,
    backend: Result<Arc<dyn Backend>, NoGlobalBackend>,
    limit: Option<Duration>,
    executor: PhantomData<fn(E)>,
}

impl<E: HasOutput> Wait<E> {
    pub(super) fn new(begin: Begin, backend: Result<Arc<dyn Backend>, NoGlobalBackend>) -> Self {
        Self { begin, backend, limit: None, executor: PhantomData }
    }

    /// For this long at most; then it gives [`OutputError::TimedOut`], and the job goes on. The default is: until the job ends. An
    /// outage of the backend is waited out.
    pub fn within(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    async fn run(self) -> Result<Outcome<E::Output>, OutputError>
    where
        E::Output: DeserializeOwned,
    {
        let Self { begin, backend, limit, executor: _ } = self;
        let (backend, time) = (backend?, limit.map(|limit| SystemClock.sleep(limit)));
        let job = match begin {
            Begin::Stored(job) => job,
            Begin::New(job) => enqueue::<E>(&*backend, *job?).await?,
        };
        let end = end::of::<E>(&backend, job);
        let ended = match limit.zip(time) {
            None => end.await?,
            Some((limit, time)) => tokio::select! {
                biased;
                ended = end => ended?,
                () = time => return Err(OutputError::TimedOut { job, limit }),
            },
        };
        match ended {
            Some(row) => Ok(outcome::of_row::<E, _>(row)?.unwrap_or(Outcome::Gone)),
            None => Ok(Outcome::Gone),
        }
    }
}

async fn enqueue<E: HasOutput>(backend: &dyn Backend, job: NewJob) -> Result<JobId, OutputError> {
    let answers = backend.enqueue(vec![job]).await.map_err(EnqueueError::from)?;
    warn_of_itself(E::NAME, &answers);
    let none = || BackendError::message("the backend answered for no job where one was enqueued");
    Ok(answers.first().copied().ok_or_else(none)?.id())
}

impl<E: HasOutput> IntoFuture for Wait<E>
where
    E::Output: DeserializeOwned,
{
    type Output = Result<Outcome<E::Output>, OutputError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<E> fmt::Debug for Wait<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let job = match &self.begin {
            Begin::Stored(job) => Some(job),
            Begin::New(_) => None,
        };
        f.debug_struct("Wait").field("job", &job).field("limit", &self.limit).finish_non_exhaustive()
    }
}
