//! Listening for events.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{Stream, stream::FusedStream};

use super::{
    error::EventsError,
    event::Event,
    hub::{Hub, open},
    sink::{Filter, Sink},
};
use crate::{
    backend::Backend,
    executing::Executor,
    global::{self, NoGlobalBackend},
    model::{EventKind, ExecutorName, JobId},
};

/// What happens to the jobs of the global backend, in whatever process: see the [module](mod@crate::events).
pub fn events() -> Events {
    Events::of(None)
}

/// [`events`] of a backend of your choice, of which a clone is held.
pub fn events_on_backend<B: Backend + Clone>(backend: &B) -> Events {
    Events::of(Some(Arc::new(backend.clone())))
}

/// Which events are listened for: [`events`] begins it, [`listen`](Self::listen) ends it. All, unless this says otherwise; of several
/// conditions all must hold.
#[derive(Debug, Clone)]
#[must_use = "nobody listens until `listen` is called and awaited"]
pub struct Events {
    /// `None`: the global one.
    backend: Option<Arc<dyn Backend>>,
    filter: Filter,
    buffer: usize,
}

/// How many events wait for a stream that is not polled, where nobody says otherwise.
const BUFFER: usize = 1_024;

/// … and at most.
const MAX_BUFFER: usize = 1 << 20;

impl Events {
    fn of(backend: Option<Arc<dyn Backend>>) -> Self {
        Self { backend, filter: Filter::default(), buffer: BUFFER }
    }

    /// Only events of the executors of these names, and pauses that concern them. Calls add up; an empty list is none.
    pub fn executors<N: Into<ExecutorName>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().map(Into::into);
        self.filter.executors.get_or_insert_default().extend(names);
        self
    }

    /// Only events of this executor, and of others that are named so.
    pub fn executor<E: Executor>(self) -> Self {
        self.executors([E::NAME].into_iter().chain(E::ALIASES.iter().copied()))
    }

    /// Only events of these jobs. Calls add up; an empty list is none.
    pub fn jobs<I: Into<JobId>>(mut self, jobs: impl IntoIterator<Item = I>) -> Self {
        let jobs = jobs.into_iter().map(Into::into);
        self.filter.jobs.get_or_insert_default().extend(jobs);
        self
    }

    /// Only events of jobs that have one of these tags. Calls add up; an empty list is none.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        let tags = tags.into_iter().map(Into::into);
        self.filter.tags.get_or_insert_default().extend(tags);
        self
    }

    /// Only events of these kinds; that others were [lost](Event::Lagged) is told in any case. Calls add up; an empty list is none.
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        self.filter.kinds.get_or_insert_default().extend(kinds);
        self
    }

    /// How many events wait at most for a stream that is not polled, from 1 to 1,048,576. When one more comes, the oldest is lost, and the
    /// stream says [how many](Event::Lagged) were. The default is 1,024.
    pub fn buffer(self, events: usize) -> Self {
        Self { buffer: events.clamp(1, MAX_BUFFER), ..self }
    }

    /// Begins to listen: every change that begins once this has returned is in the stream.
    ///
    /// All streams of a runtime and a backend share one listener. It needs a tokio runtime with timers.
    ///
    /// # Errors
    ///
    /// When no global backend is set, or it fails or cannot do this.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, nobody listens.
    pub async fn listen(self) -> Result<EventStream, EventsError> {
        let backend: Result<_, NoGlobalBackend> = self.backend.map_or_else(global::backend, Ok);
        let sink = Arc::new(Sink::new(self.filter, self.buffer));
        let hub = open(&backend?, &sink).await?;
        Ok(EventStream { sink, hub, is_over: false })
    }
}

/// What happens: [`Events::listen`] makes it. It is a [`Stream`].
///
/// Dropping it ends the listening: within a second nothing is written any more for its sake.
///
/// # Cancel safety
///
/// [`next`](Self::next) loses nothing when it is dropped.
#[must_use = "events wait in it until it is polled"]
pub struct EventStream {
    sink: Arc<Sink>,
    hub: Arc<Hub>,
    is_over: bool,
}

impl EventStream {
    /// What happens next. `None` comes only after an error.
    ///
    /// # Errors
    ///
    /// When the backend fails for good, or the runtime on which the stream was made has ended; nothing follows then. An outage of the
    /// database is none: the stream waits for its end, and says that it has [lagged](Event::Lagged) if anything was lost.
    pub async fn next(&mut self) -> Option<Result<Event, EventsError>> {
        futures::StreamExt::next(self).await
    }
}

impl Stream for EventStream {
    type Item = Result<Event, EventsError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        self.sink.poll(context).map(|event| {
            Some(event.map_err(|error| {
                self.is_over = true;
                EventsError::Backend(super::hub::again(&error))
            }))
        })
    }
}

impl FusedStream for EventStream {
    fn is_terminated(&self) -> bool {
        self.is_over
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.hub.look();
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("filter", &self.sink.filter).finish_non_exhaustive()
    }
}
