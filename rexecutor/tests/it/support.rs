//! What the tests of the engine share.

use std::sync::Arc;

use rexecutor::{
    backend::{Enqueue, Filter, Inspect, JobRow, memory::InMemoryBackend},
    node::NodeBuilder,
    prelude::*,
};
use rexecutor_testing::{Faulty, TestClock};
use tokio::sync::mpsc;

/// A backend in memory, and a node's builder, on one clock that moves when it is told to.
pub(crate) struct World {
    pub(crate) clock: TestClock,
    pub(crate) backend: Arc<Faulty<InMemoryBackend>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = TestClock::new();
        let memory = InMemoryBackend::new().with_clock(clock.clone());
        Self { backend: Arc::new(Faulty::new(memory).with_clock(clock.clone())), clock }
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

    /// Enqueues so many jobs, whose data are their numbers, in one call.
    pub(crate) async fn enqueue<E: Executor<Data = u32>>(&self, count: u32) {
        let jobs = (0..count).map(|data| E::builder().with_data(data).encode().unwrap()).collect();
        let _ = self.backend.enqueue(jobs).await.unwrap();
    }

    pub(crate) async fn seconds(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds)).await;
    }
}

/// A node that looks at its clock seldom, for tests in which days go by.
pub(crate) fn patient(node: NodeBuilder) -> NodeBuilder {
    let hour = std::time::Duration::from_secs(3_600);
    node.with_node_timeout(24 * hour).with_poll_interval(hour)
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
    pub(crate) fn say(&self, message: impl ToString) {
        let _ = self.0.send(message.to_string());
    }

    /// The one that the node of a job was given.
    pub(crate) fn of<D, M>(job: &Job<D, M>) -> Self {
        job.context().state::<Self>().unwrap()
    }
}

impl Told {
    /// Waits for the next message.
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
