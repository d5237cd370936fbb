//! How long queues are, told as gauges.

use std::{convert::Infallible, time::Duration};

use crate::{
    backend::{Backend, observe},
    clock::{Clock, SystemClock},
    meters::{self, Depth, Gauges},
    model::Result,
};

/// Tells how long queues are, each time that it is asked to: the gauges by executor, and the number of nodes.
///
/// It remembers whom it has told of: an executor that has no jobs and no node any more is set to 0.
#[derive(Debug, Default)]
pub struct QueueMetrics {
    gauges: Gauges,
}

impl QueueMetrics {
    /// One that has not told anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads how the cluster stands, and tells it.
    ///
    /// On a database that is at most eight statements in one transaction that changes nothing, however many jobs, executors and nodes there
    /// are, and none of them looks at more than 10,000 jobs of an executor: a gauge that says 10,000 means that many, or more.
    ///
    /// # Errors
    ///
    /// When the backend fails, or cannot do this. The gauges stay as they were.
    pub async fn measure<B: Backend + ?Sized>(&mut self, backend: &B) -> Result<()> {
        let cluster = observe::observe(backend)?.cluster().await?;
        let depth = |one: &observe::Standing| Depth {
            due: one.queue.due.jobs,
            waiting: one.queue.waiting.jobs,
            oldest_wait: one.oldest_wait(cluster.now).and_then(|wait| wait.to_std().ok()).unwrap_or_default(),
            executing: one.running,
            is_paused: one.paused.is_some() || cluster.paused.is_some(),
        };
        let queues: Vec<_> = cluster.executors.iter().map(|one| (one.executor.clone(), depth(one))).collect();
        let silent = cluster.nodes.iter().filter(|node| node.is_silent(cluster.now)).count();
        self.gauges.tell(&queues, (cluster.nodes.len() - silent, silent));
        Ok(())
    }
}

/// Tells how long queues are, at once and then after each `interval`, until it is dropped: for a task of its own.
///
/// What each time costs is said by [`QueueMetrics::measure`]. One process is enough: all of them would tell the same. While the backend fails,
/// the gauges stay as they were, and `rexecutor_backend_failures_total` counts it with `what="queues"`.
///
/// # Panics
///
/// Outside a tokio runtime with timers.
pub async fn watch_queues<B: Backend>(backend: B, interval: Duration) -> Infallible {
    let mut queues = QueueMetrics::new();
    loop {
        if let Err(error) = queues.measure(&backend).await {
            meters::failed("queues");
            tracing::debug!(error = &error as &dyn std::error::Error, "the queues could not be measured");
        }
        SystemClock.sleep(interval.max(Duration::from_millis(100))).await;
    }
}
