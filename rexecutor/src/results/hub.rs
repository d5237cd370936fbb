//! Who waits for which jobs: one listener for all callers on a runtime, which asks the backend for all of them at once.
//!
//! # Invariants
//!
//! - A job is [marked](crate::backend::Ends) before it is waited for, and read after that: its end is seen by one of the two.
//! - Nobody is polled for somebody else's sake: the listener is a task of its own.
//! - It ends a second after nobody waits any more.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    runtime::{Handle, Id},
    sync::{Notify, oneshot, watch},
};

use crate::{
    backend::{Backend, Wakeup, ends},
    clock::{Clock, SystemClock},
    model::{BackendError, Filter, JobId, JobRow, Marks, Result},
};

/// How long a listener outlives its last caller: the next one finds it at work.
const LINGER: Duration = Duration::from_secs(1);

/// How long until a job is marked again that somebody else was changing.
const MARK_AGAIN: Duration = Duration::from_millis(20);

/// How long until a backend that failed is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// After how long all jobs are looked at though nothing was heard of them: what a lost notice costs at most.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How many jobs the backend is asked for at once.
const CHUNK: usize = 500;

type Answer = std::result::Result<Option<JobRow>, Arc<BackendError>>;

/// Waits until the listener has seen the job finished, or gone.
pub(super) async fn end_of(backend: &Arc<dyn Backend>, job: JobId) -> Result<Option<JobRow>> {
    const WHAT: &str = "could not wait for a job";
    ends(&**backend)?;
    let runtime = Handle::try_current().map_err(|error| BackendError::permanent(WHAT, error))?;
    loop {
        match Hub::of(backend, &runtime).register(job) {
            // An error of the channel: the listener was ending.
            Some(answer) => match answer.await {
                Ok(Ok(ended)) => return Ok(ended),
                Ok(Err(error)) if error.is_transient() => return Err(BackendError::transient(WHAT, error)),
                Ok(Err(error)) => return Err(BackendError::permanent(WHAT, error)),
                Err(_) => {}
            },
            None => tokio::task::yield_now().await,
        }
    }
}

/// Hears when flows end, of the same listener.
pub(crate) struct FlowNews(watch::Receiver<u64>);

impl FlowNews {
    /// From now on.
    pub(crate) fn of(backend: &Arc<dyn Backend>) -> Result<Self> {
        let runtime =
            Handle::try_current().map_err(|error| BackendError::permanent("could not wait for a batch", error))?;
        loop {
            // None, while a listener is ending: the next look finds or makes another one.
            if let Some(flows) = Hub::of(backend, &runtime).subscribe() {
                return Ok(Self(flows));
            }
        }
    }

    /// Waits until one may have ended.
    pub(crate) async fn listen(mut self) {
        // An error means that the listener has ended, and there is another one.
        let _ = self.0.changed().await;
    }
}

/// The listeners, by backend and runtime.
static HUBS: OnceLock<Mutex<Hubs>> = OnceLock::new();

type Hubs = HashMap<(usize, Id), Weak<Hub>>;

struct Hub {
    backend: Arc<dyn Backend>,
    callers: Mutex<Callers>,
    /// Fires when there are new ones.
    news: Notify,
    /// Rises whenever a flow may have ended.
    flows: watch::Sender<u64>,
}

#[derive(Default)]
struct Callers {
    waiting: BTreeMap<JobId, Vec<oneshot::Sender<Answer>>>,
    /// Jobs that the listener has not heard of.
    fresh: BTreeSet<JobId>,
    /// Whether the listener has ended.
    is_over: bool,
}

impl Hub {
    /// The one that there is, or a new one.
    fn of(backend: &Arc<dyn Backend>, runtime: &Handle) -> Arc<Self> {
        let mut hubs = HUBS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let key = (backend.instance(), runtime.id());
        if let Some(hub) = hubs.get(&key).and_then(Weak::upgrade).filter(|hub| !hub.callers().is_over) {
            return hub;
        }
        hubs.retain(|_, hub| hub.strong_count() > 0);
        let (callers, news, flows) = (Mutex::default(), Notify::new(), watch::Sender::new(0));
        let hub = Arc::new(Self { backend: backend.clone(), callers, news, flows });
        hubs.insert(key, Arc::downgrade(&hub));
        runtime.spawn(Serving(hub.clone()).run());
        hub
    }

    fn callers(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: the listener has ended.
    fn register(&self, job: JobId) -> Option<oneshot::Receiver<Answer>> {
        let mut callers = self.callers();
        if callers.is_over {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        callers.waiting.entry(job).or_default().push(answer);
        callers.fresh.insert(job);
        self.news.notify_one();
        Some(answered)
    }

    /// `None`: the listener has ended.
    fn subscribe(&self) -> Option<watch::Receiver<u64>> {
        let callers = self.callers();
        (!callers.is_over).then(|| self.flows.subscribe())
    }

    /// Tells those who wait for flows to look at them.
    fn tell_flows(&self) {
        self.flows.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Whether nobody waits.
    fn is_idle(&self) -> bool {
        self.awaited().is_empty() && self.flows.receiver_count() == 0
    }

    /// All jobs that anybody still waits for.
    fn awaited(&self) -> BTreeSet<JobId> {
        let mut callers = self.callers();
        callers.waiting.retain(|_, callers| {
            callers.retain(|caller| !caller.is_closed());
            !callers.is_empty()
        });
        callers.waiting.keys().copied().collect()
    }

    /// Ends it, if nobody waits.
    fn end_if_idle(&self) -> bool {
        let is_idle = self.is_idle();
        let mut callers = self.callers();
        // Somebody may have come in between.
        callers.is_over = is_idle && callers.waiting.is_empty() && self.flows.receiver_count() == 0;
        callers.is_over
    }

    fn answer(&self, job: JobId, answer: impl Fn() -> Answer) {
        for caller in self.callers().waiting.remove(&job).into_iter().flatten() {
            // An error means that nobody waits any more.
            let _ = caller.send(answer());
        }
    }

    /// Hears of the ends of jobs, again and again.
    async fn watch(&self, wakeup: &Arc<Wakeup>) -> Infallible {
        loop {
            let watching = self.backend.watch(wakeup.clone());
            // What came before was not heard.
            wakeup.wake_all();
            if let Err(error) = watching.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "the ends of jobs are not heard");
            }
            SystemClock.sleep(ASK_AGAIN).await;
        }
    }

    /// Looks at jobs, and marks those that are not finished; returns those to be looked at again, and when.
    async fn look(&self, jobs: &BTreeSet<JobId>, fresh: &BTreeSet<JobId>) -> (BTreeSet<JobId>, Duration) {
        let jobs: Vec<JobId> = jobs.union(fresh).copied().collect();
        let mut left = BTreeSet::new();
        for chunk in jobs.chunks(CHUNK) {
            match self.look_at(chunk, fresh).await {
                Ok(unmarked) => left.extend(unmarked),
                Err(error) if error.is_transient() => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "jobs that are waited for are not seen");
                    return (jobs.iter().copied().filter(|job| job >= &chunk[0]).chain(left).collect(), ASK_AGAIN);
                }
                Err(error) => {
                    let error = Arc::new(error);
                    chunk.iter().for_each(|job| self.answer(*job, || Err(error.clone())));
                }
            }
        }
        (left, MARK_AGAIN)
    }

    /// … and returns those that could not be marked.
    async fn look_at(&self, jobs: &[JobId], fresh: &BTreeSet<JobId>) -> Result<Vec<JobId>> {
        let (fresh, known): (Vec<JobId>, Vec<JobId>) = jobs.iter().partition(|job| fresh.contains(job));
        let mut unmarked = self.read(known).await?;
        unmarked.extend(fresh);
        if unmarked.is_empty() {
            return Ok(unmarked);
        }
        ends(&*self.backend)?.await_ends(unmarked.clone()).await?;
        self.read(unmarked).await
    }

    /// Answers those who wait for jobs that are finished or gone; returns the others that are not marked.
    async fn read(&self, jobs: Vec<JobId>) -> Result<Vec<JobId>> {
        if jobs.is_empty() {
            return Ok(jobs);
        }
        let rows = self.backend.query(&Filter::IdIn(jobs.clone()), jobs.len()).await?;
        let mut rows: BTreeMap<JobId, JobRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        let mut unmarked = Vec::new();
        for job in jobs {
            match rows.remove(&job) {
                Some(row) if !row.status.is_finished() => {
                    unmarked.extend((!row.marks.contains(Marks::AWAITED)).then_some(job));
                }
                ended => self.answer(job, || Ok(ended.clone())),
            }
        }
        Ok(unmarked)
    }
}

/// The listener. It may be dropped at any time, with its runtime.
struct Serving(Arc<Hub>);

impl Serving {
    async fn run(self) {
        let Self(hub) = &self;
        let wakeup = Arc::new(Wakeup::of_ends());
        let mut watching = std::pin::pin!(hub.watch(&wakeup));
        let mut due = BTreeSet::new();
        loop {
            let fresh = std::mem::take(&mut hub.callers().fresh);
            let mut pause = LOOK_AGAIN;
            if !due.is_empty() || !fresh.is_empty() {
                (due, pause) = tokio::select! {
                    biased;
                    never = &mut watching => match never {},
                    left = hub.look(&due, &fresh) => left,
                };
                if due.is_empty() {
                    pause = LOOK_AGAIN;
                }
            }
            let is_idle = hub.is_idle();
            tokio::select! {
                biased;
                never = &mut watching => match never {},
                () = hub.news.notified() => {}
                reasons = wakeup.listen() => {
                    if reasons.flows || reasons.all {
                        hub.tell_flows();
                    }
                    match reasons.all {
                        true => due = hub.awaited(),
                        false => due.extend(reasons.ended),
                    }
                }
                () = SystemClock.sleep(if is_idle { LINGER } else { pause }) => match is_idle {
                    true if hub.end_if_idle() => return,
                    _ => {
                        due.extend(hub.awaited());
                        hub.tell_flows();
                    }
                },
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let callers = &mut *self.0.callers();
        callers.is_over = true;
        // They look for another one.
        callers.waiting.clear();
        self.0.tell_flows();
    }
}
