//! Who listens: one listener for all streams of a runtime, which asks the backend for the events of all of them.
//!
//! # Invariants
//!
//! - A stream is opened after the backend has said that it listens, and after all that happened before was read.
//! - Nobody is polled for somebody else's sake: the listener is a task of its own.
//! - It ends a second after the last stream was dropped, and tells the backend so.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    runtime::{Handle, Id},
    sync::{Notify, oneshot},
};

use super::{event::Event, sink::Sink};
use crate::{
    backend::{Backend, EventReader, Interest, Wakeup, events},
    clock::{Clock, SystemClock},
    model::{BackendError, ExecutorName, Result},
};

/// How long the listener outlives its last stream: the next one finds it at work.
const LINGER: Duration = Duration::from_secs(1);

/// After how long it looks for events though nothing woke it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How long it waits after it was woken: what comes in between is read together.
const GATHER: Duration = Duration::from_millis(10);

/// How long until a backend that failed is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How many events are read at once.
const PAGE: usize = 1_000;

const WHAT: &str = "could not listen for events";

type Opened = std::result::Result<(), Arc<BackendError>>;

/// The listeners, by [instance](Backend::instance) of the backend and runtime.
type Hubs = HashMap<(usize, Id), Weak<Hub>>;

static HUBS: OnceLock<Mutex<Hubs>> = OnceLock::new();

pub(super) struct Hub {
    backend: Arc<dyn Backend>,
    streams: Mutex<Streams>,
    /// Fires when there is another stream, or one less.
    news: Notify,
}

#[derive(Default)]
struct Streams {
    open: Vec<Weak<Sink>>,
    /// Those that are to be opened.
    fresh: Vec<(Weak<Sink>, oneshot::Sender<Opened>)>,
    /// Whether the listener has ended.
    is_over: bool,
}

/// Opens a stream.
pub(super) async fn open(backend: &Arc<dyn Backend>, sink: &Arc<Sink>) -> Result<Arc<Hub>> {
    events(&**backend)?;
    let runtime = Handle::try_current().map_err(|error| BackendError::permanent(WHAT, error))?;
    loop {
        let hub = Hub::of(backend, &runtime);
        // An error of the channel: the listener was ending.
        match hub.register(sink) {
            Some(opened) => match opened.await {
                Ok(Ok(())) => return Ok(hub),
                Ok(Err(error)) => return Err(again(&error)),
                Err(_) => {}
            },
            None => tokio::task::yield_now().await,
        }
    }
}

/// The same error for another one who listens.
pub(super) fn again(error: &Arc<BackendError>) -> BackendError {
    match error.is_transient() {
        true => BackendError::transient(WHAT, error.clone()),
        false => BackendError::permanent(WHAT, error.clone()),
    }
}

impl Hub {
    /// The one that there is, or a new one.
    fn of(backend: &Arc<dyn Backend>, runtime: &Handle) -> Arc<Self> {
        let mut hubs = HUBS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let key = (backend.instance(), runtime.id());
        if let Some(hub) = hubs.get(&key).and_then(Weak::upgrade).filter(|hub| !hub.streams().is_over) {
            return hub;
        }
        hubs.retain(|_, hub| hub.strong_count() > 0);
        let hub = Arc::new(Self { backend: backend.clone(), streams: Mutex::default(), news: Notify::new() });
        hubs.insert(key, Arc::downgrade(&hub));
        runtime.spawn(Serving(hub.clone()).run());
        hub
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: the listener has ended.
    fn register(&self, sink: &Arc<Sink>) -> Option<oneshot::Receiver<Opened>> {
        let mut streams = self.streams();
        if streams.is_over {
            return None;
        }
        let (open, opened) = oneshot::channel();
        streams.fresh.push((Arc::downgrade(sink), open));
        self.look();
        Some(opened)
    }

    /// Has the listener look which streams there are.
    pub(super) fn look(&self) {
        self.news.notify_one();
    }

    /// Of which executors anybody wants events; also how many streams are to be opened.
    fn wanted(&self) -> (Interest, usize) {
        let mut streams = self.streams();
        streams.open.retain(|sink| sink.strong_count() > 0);
        streams.fresh.retain(|(sink, open)| sink.strong_count() > 0 && !open.is_closed());
        let fresh = streams.fresh.iter().map(|(sink, _)| sink);
        let mut wanted: BTreeSet<ExecutorName> = BTreeSet::new();
        for sink in streams.open.iter().chain(fresh).filter_map(Weak::upgrade) {
            match sink.filter.interest() {
                Some(executors) => wanted.extend(executors),
                None => return (None, streams.fresh.len()),
            }
        }
        (Some(wanted.into_iter().collect()), streams.fresh.len())
    }

    fn is_idle(&self) -> bool {
        let streams = self.streams();
        let is_alive = |sink: &Weak<Sink>| sink.strong_count() > 0;
        streams.fresh.is_empty() && !streams.open.iter().any(is_alive)
    }

    /// Ends it, if there are no streams.
    fn end_if_idle(&self) -> bool {
        let is_idle = self.is_idle();
        let mut streams = self.streams();
        // Another one may have come in between.
        streams.is_over = is_idle && streams.fresh.is_empty();
        streams.is_over
    }

    /// Opens the first of the fresh streams.
    fn open(&self, count: usize) {
        let mut streams = self.streams();
        let count = count.min(streams.fresh.len());
        let fresh: Vec<_> = streams.fresh.drain(..count).collect();
        for (sink, open) in fresh {
            streams.open.push(sink);
            // An error means that nobody waits any more.
            let _ = open.send(Ok(()));
        }
    }

    /// Tells the streams that are to be opened that they cannot be; and those that are open, if it is `for_good`.
    fn fail(&self, error: BackendError, for_good: bool) {
        let error = Arc::new(error);
        let mut streams = self.streams();
        for (_, open) in streams.fresh.drain(..) {
            let _ = open.send(Err(error.clone()));
        }
        if for_good {
            streams.is_over = true;
            streams.open.drain(..).filter_map(|sink| sink.upgrade()).for_each(|sink| sink.end(&error));
        }
    }

    fn deliver(&self, event: Event) {
        let event = Arc::new(event);
        let streams = self.streams();
        streams.open.iter().filter_map(Weak::upgrade).for_each(|sink| sink.push(&event));
    }

    /// Is woken by what happens, again and again.
    async fn watch(&self, wakeup: &Arc<Wakeup>) -> Infallible {
        loop {
            let watching = self.backend.watch(wakeup.clone());
            // What came before was not heard.
            wakeup.wake_all();
            if let Err(error) = watching.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "events are looked for, and not heard of");
            }
            SystemClock.sleep(ASK_AGAIN).await;
        }
    }

    /// Listens until there are no streams any more, or the backend fails.
    async fn listen(&self, wakeup: &Wakeup, has_lost: bool) -> Result<()> {
        let (mut interest, _) = self.wanted();
        let mut reader = events(&*self.backend)?.listen(interest.clone()).await?;
        if has_lost {
            self.deliver(Event::Lagged { missed: None });
        }
        loop {
            let (wanted, fresh) = self.wanted();
            if wanted != interest && !self.is_idle() {
                reader.attend(wanted.clone()).await?;
                interest = wanted;
            }
            self.read(&mut *reader).await?;
            self.open(fresh);
            let is_idle = self.is_idle();
            tokio::select! {
                biased;
                () = self.news.notified() => {}
                _ = wakeup.listen() => SystemClock.sleep(GATHER).await,
                () = SystemClock.sleep(if is_idle { LINGER } else { LOOK_AGAIN }) => {
                    if is_idle && self.end_if_idle() {
                        return reader.end().await;
                    }
                }
            }
        }
    }

    /// Reads all that there is. What may pass is waited for: the listener counts for one as long as it can.
    async fn read(&self, reader: &mut dyn EventReader) -> Result<()> {
        loop {
            let page = match reader.read(PAGE).await {
                Ok(page) => page,
                Err(error) if error.is_transient() && !self.is_idle() => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "events are not seen");
                    SystemClock.sleep(ASK_AGAIN).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if page.has_lost {
                self.deliver(Event::Lagged { missed: None });
            }
            page.events.into_iter().filter_map(Event::of).for_each(|event| self.deliver(event));
            if !page.has_more {
                return Ok(());
            }
            // A thousand events that nobody has polled yet are enough for one turn.
            tokio::task::yield_now().await;
        }
    }
}

/// The listener. It may be dropped at any time, with its runtime.
struct Serving(Arc<Hub>);

impl Serving {
    async fn run(self) {
        let Self(hub) = &self;
        let wakeup = Arc::new(Wakeup::of_events());
        let mut watching = std::pin::pin!(hub.watch(&wakeup));
        let mut has_lost = false;
        loop {
            let ended = tokio::select! {
                biased;
                never = &mut watching => match never {},
                ended = hub.listen(&wakeup, has_lost) => ended,
            };
            let Err(error) = ended else { return };
            let for_good = !error.is_transient();
            tracing::debug!(error = &error as &dyn std::error::Error, "the listener for events has failed");
            hub.fail(error, for_good);
            if for_good || hub.end_if_idle() {
                return;
            }
            // What happens until somebody listens again is lost.
            has_lost = true;
            SystemClock.sleep(ASK_AGAIN).await;
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.fail(BackendError::message("the runtime on which the stream of events was made has ended"), true);
    }
}
