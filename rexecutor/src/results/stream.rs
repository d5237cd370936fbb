//! What jobs stream.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};

use super::error::OutputError;
use crate::{
    backend::{Backend, Inspect, streams},
    clock::{Clock, SystemClock},
    executing::Executor,
    global::{self, NoGlobalBackend},
    model::{BackendError, Chunk, ExecutorName, Filter, JobHandle, JobId, Offset},
};

/// How often a stream that is followed is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How many chunks are read at once.
const BATCH: usize = 100;

/// What the jobs of an executor [stream](crate::JobContext::emit): every executor has it.
///
/// `use rexecutor::prelude::*;` brings it into scope.
pub trait ChunksExt: Executor + Sized {
    /// Follows the stream of a job from its start, or from [anywhere else](Chunks::after), until the job has ended and all of it was read;
    /// nothing, if there is no such job.
    ///
    /// A chunk is there within about a third of a second after it was emitted.
    fn chunks(job: impl Into<JobHandle<Self>>) -> Chunks {
        Chunks::new(job.into().id(), Some(Self::NAME), global::backend())
    }

    /// [`chunks`](Self::chunks) on a backend of your choice, of which a clone is held meanwhile.
    fn chunks_on_backend<B: Backend + Clone>(job: impl Into<JobHandle<Self>>, backend: &B) -> Chunks {
        Chunks::new(job.into().id(), Some(Self::NAME), Ok(Arc::new(backend.clone())))
    }
}

impl<E: Executor> ChunksExt for E {}

/// What a job streams: [`ChunksExt::chunks`] makes it. It is a [`Stream`].
///
/// # Cancel safety
///
/// [`next`](Self::next) loses nothing when it is dropped.
#[must_use = "nothing is looked at until it is polled"]
pub struct Chunks(State);

enum State {
    Begins(Box<Following>),
    Failed(NoGlobalBackend),
    Goes(BoxStream<'static, Result<Chunk, OutputError>>),
}

impl Chunks {
    pub(super) fn new(
        job: JobId,
        executor: Option<&'static str>,
        backend: Result<Arc<dyn Backend>, NoGlobalBackend>,
    ) -> Self {
        Self(match backend {
            Ok(backend) => {
                let (after, read) = (Offset::START, VecDeque::new());
                State::Begins(Box::new(Following { backend, job, executor, after, read, is_over: false }))
            }
            Err(error) => State::Failed(error),
        })
    }

    /// Begins after this chunk, such as the last one that a web page has. Once the first chunk was asked for, this changes nothing.
    pub fn after(mut self, offset: Offset) -> Self {
        if let State::Begins(following) = &mut self.0 {
            following.after = offset;
        }
        self
    }

    /// The next chunk; `None`: the job has ended, and that was all.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or cannot do this; nothing follows then.
    pub async fn next(&mut self) -> Option<Result<Chunk, OutputError>> {
        futures::StreamExt::next(self).await
    }
}

impl Stream for Chunks {
    type Item = Result<Chunk, OutputError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !matches!(self.0, State::Goes(_)) {
            let begun = match std::mem::replace(&mut self.0, State::Goes(stream::empty().boxed())) {
                State::Begins(following) => stream::unfold(*following, Following::next).boxed(),
                State::Failed(error) => stream::once(async move { Err(error.into()) }).boxed(),
                State::Goes(stream) => stream,
            };
            self.0 = State::Goes(begun);
        }
        match &mut self.0 {
            State::Goes(stream) => stream.poll_next_unpin(context),
            State::Begins(_) | State::Failed(_) => Poll::Ready(None),
        }
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").finish_non_exhaustive()
    }
}

struct Following {
    backend: Arc<dyn Backend>,
    job: JobId,
    /// `None`: whichever it is.
    executor: Option<&'static str>,
    after: Offset,
    read: VecDeque<Chunk>,
    is_over: bool,
}

impl Following {
    async fn next(mut self) -> Option<(Result<Chunk, OutputError>, Self)> {
        loop {
            if let Some(chunk) = self.read.pop_front() {
                self.after = chunk.offset;
                return Some((Ok(chunk), self));
            }
            if self.is_over {
                return None;
            }
            match self.look().await {
                Ok(has_ended) => {
                    self.is_over = has_ended && self.read.is_empty();
                    if self.read.is_empty() && !has_ended {
                        SystemClock.sleep(LOOK).await;
                    }
                }
                Err(error) => {
                    self.is_over = true;
                    return Some((Err(error.into()), self));
                }
            }
        }
    }

    /// Reads on; whether the job had ended before.
    async fn look(&mut self) -> Result<bool, BackendError> {
        let ids = Filter::IdIn(vec![self.job]);
        let filter = match self.executor {
            Some(executor) => Filter::Executor(ExecutorName::from(executor)).and(ids),
            None => ids,
        };
        let Some(row) = Inspect::query(&*self.backend, &filter, 1).await?.pop() else { return Ok(true) };
        self.read = streams(&*self.backend)?.chunks(self.job, self.after, BATCH).await?.into();
        Ok(row.status.is_finished())
    }
}
