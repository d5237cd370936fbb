//! What the tests of the engine share.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AmendError, BackendError, Bell, Claim, Claimed, Enqueue, Enqueued, Filter, Heartbeat, Inspect, JobChange,
        JobRow, Maintain, NewJob, Node, Result, ScheduleKey, Settle, Settlement, Slots, Ticks, memory::InMemoryBackend,
    },
    job::{ExecutorName, Lease, NodeId},
    node::NodeBuilder,
    prelude::*,
    pruner::PruneSpec,
};
use rexecutor_testing::TestClock;
use tokio::sync::mpsc;

/// A backend in memory, and a node's builder, on one clock that moves when it is told to.
pub(crate) struct Bench {
    pub(crate) clock: TestClock,
    pub(crate) backend: Arc<Flaky>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let clock = TestClock::new();
        let memory = InMemoryBackend::new().with_clock(clock.clone());
        Self { backend: Arc::new(Flaky { memory, ..Flaky::default() }), clock }
    }

    pub(crate) fn node(&self) -> NodeBuilder {
        Rexecutor::builder().with_backend(self.backend.clone()).with_clock(self.clock.clone())
    }

    pub(crate) async fn row(&self, job: impl Into<JobId>) -> JobRow {
        self.backend.query(&Filter::IdIn(vec![job.into()]), 1).await.unwrap().remove(0)
    }

    pub(crate) async fn rows(&self) -> Vec<JobRow> {
        self.backend.query(&Filter::All(Vec::new()), usize::MAX).await.unwrap()
    }

    pub(crate) async fn seconds(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds)).await;
    }
}

/// What a job tells its test.
#[derive(Clone)]
pub(crate) struct Tell(mpsc::UnboundedSender<String>);

pub(crate) struct Told(mpsc::UnboundedReceiver<String>);

pub(crate) fn tell() -> (Tell, Told) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Tell(sender), Told(receiver))
}

impl Tell {
    pub(crate) fn say(&self, words: impl ToString) {
        let _ = self.0.send(words.to_string());
    }

    /// The one that the node of a job was given.
    pub(crate) fn of<D, M>(job: &Job<D, M>) -> Self {
        job.context().state::<Self>().unwrap()
    }
}

impl Told {
    /// Waits for the next words.
    pub(crate) async fn next(&mut self) -> String {
        self.0.recv().await.unwrap()
    }

    /// What was said so far.
    pub(crate) fn all(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

/// Declares an executor whose data are a number, in a few words.
#[macro_export]
macro_rules! executor {
    ($name:ident, $title:literal, { $($settings:tt)* }, |$job:ident| $body:expr) => {
        struct $name;

        #[async_trait::async_trait]
        impl rexecutor::Executor for $name {
            type Data = u32;
            type Metadata = ();
            const NAME: &'static str = $title;
            $($settings)*

            async fn execute($job: rexecutor::Job<u32, ()>) -> rexecutor::ExecutionResult {
                $body
            }
        }
    };
}

/// A backend that fails when it is told to, and counts.
#[derive(Debug)]
pub(crate) struct Flaky {
    memory: InMemoryBackend,
    /// How many claims, settles and heartbeats are still to fail.
    pub(crate) failing: AtomicUsize,
    /// Whether a settle that fails has stored the outcomes: only the answer is lost.
    pub(crate) loses_answers: Mutex<bool>,
    pub(crate) claims: AtomicUsize,
    pub(crate) settles: AtomicUsize,
    /// Claims wait here for leave to answer, once they have claimed.
    pub(crate) gate: tokio::sync::RwLock<()>,
}

impl Default for Flaky {
    fn default() -> Self {
        Self {
            memory: InMemoryBackend::new(),
            failing: AtomicUsize::new(0),
            loses_answers: Mutex::new(false),
            claims: AtomicUsize::new(0),
            settles: AtomicUsize::new(0),
            gate: tokio::sync::RwLock::new(()),
        }
    }
}

impl Flaky {
    fn outage(&self) -> Result<()> {
        let fails = self.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if fails { Err(BackendError::transient("the database is away", "connection refused")) } else { Ok(()) }
    }
}

impl Enqueue for Flaky {
    fn enqueue(&self, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>>> {
        self.memory.enqueue(jobs)
    }

    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>> {
        self.memory.schedules(schedules)
    }

    fn tick<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        at: chrono::DateTime<chrono::Utc>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<bool>> {
        self.memory.tick(schedule, at, jobs)
    }
}

impl Claim for Flaky {
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Slots]) -> BoxFuture<'a, Result<Claimed>> {
        Box::pin(async move {
            self.claims.fetch_add(1, Ordering::SeqCst);
            self.outage()?;
            let claimed = self.memory.claim(node, slots).await;
            drop(self.gate.read().await);
            claimed
        })
    }

    fn watch(&self, bell: Arc<Bell>) -> BoxFuture<'_, Result<()>> {
        self.memory.watch(bell)
    }
}

impl Settle for Flaky {
    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
        Box::pin(async move {
            self.settles.fetch_add(1, Ordering::SeqCst);
            if let Err(error) = self.outage() {
                let loses_answers = *self.loses_answers.lock().unwrap();
                if loses_answers {
                    self.memory.settle(settlements).await?;
                }
                return Err(error);
            }
            self.memory.settle(settlements).await
        })
    }
}

impl Maintain for Flaky {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        self.memory.join(node)
    }

    fn heartbeat(&self, node: NodeId) -> BoxFuture<'_, Result<Heartbeat>> {
        Box::pin(async move {
            self.outage()?;
            self.memory.heartbeat(node).await
        })
    }

    fn leave(&self, node: NodeId) -> BoxFuture<'_, Result<()>> {
        self.memory.leave(node)
    }

    fn rescue(&self) -> BoxFuture<'_, Result<usize>> {
        self.memory.rescue()
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        self.memory.prune(spec, limit)
    }
}

impl Inspect for Flaky {
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>> {
        self.memory.query(filter, limit)
    }

    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        self.memory.cancel(executor, job, reason)
    }

    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        self.memory.rerun(executor, job)
    }

    fn update<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        change: JobChange,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        self.memory.update(executor, job, change)
    }
}
