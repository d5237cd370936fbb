//! How much a node runs at once, and how long it waits.

use std::time::Duration;

use super::builder::NodeBuilder;

impl NodeBuilder {
    /// How many jobs run at once, over all executors: at least 1. The default is 50. Those that are
    /// [blocking](crate::executor::Executor::BLOCKING) have a thread each.
    ///
    /// The default goes with a pool of ten database connections, the default of most drivers: of 50 jobs that each hold a
    /// connection, the last one waits for the time of five. Jobs that mostly wait for the network can have hundreds; jobs that
    /// need much memory, or a large share of a pool, fewer, or a limit of their own
    /// ([`MAX_CONCURRENCY`](crate::executor::Executor::MAX_CONCURRENCY)).
    ///
    /// Where jobs take less time than a claim does, the node claims more than that, at most 2,000 more, so that no slot stands
    /// empty while it asks: as many as it can run during two claims, however few run at once. What it cannot start within 0.2 to
    /// 0.4 s after all it gives back, and no attempt is counted. Jobs whose executor has a limit of its own
    /// ([`MAX_CONCURRENCY`](crate::executor::Executor::MAX_CONCURRENCY)), or a single attempt
    /// ([`MAX_ATTEMPTS`](crate::executor::Executor::MAX_ATTEMPTS)), are claimed only when they can start: a node that dies uses up
    /// an attempt of all that it has claimed.
    pub fn with_max_running(mut self, max_running: usize) -> Self {
        self.options.max_running = max_running;
        self
    }

    /// How many bytes of encoded data and metadata the node claims before it waits for jobs to end: at least 1. The default is
    /// 128 MiB.
    ///
    /// Large jobs run fewer at once, so that a backlog of them does not use up the memory of the process. Where one claim is for
    /// several executors they share what is left, and the last job of each may be beyond it; jobs of up to 64 KiB each may come
    /// a thousand at once. A job takes more memory than this counts: its row, and what its data decode to.
    pub fn with_max_held_bytes(mut self, bytes: usize) -> Self {
        self.options.max_held_bytes = bytes;
        self
    }

    /// How long running jobs may take to end when the node shuts down, before they are told to stop. Zero tells them at once.
    /// The default is 20 seconds.
    ///
    /// The whole of a shutdown takes at most this, the [cancel grace](Self::with_cancel_grace), and 5 seconds: 30 seconds by
    /// default, which is what Kubernetes gives a container. (Docker gives it 10.)
    pub fn with_shutdown_grace(mut self, grace: Duration) -> Self {
        self.options.shutdown_grace = grace;
        self
    }

    /// How long a job may take to tidy up and return once it was [told to stop](crate::JobContext::cancellation), before it is
    /// dropped: because it was cancelled, has run for longer than its timeout, or its node shuts down or was declared dead. With
    /// zero it runs until its next `.await`. The default is 5 seconds.
    pub fn with_cancel_grace(mut self, grace: Duration) -> Self {
        self.options.cancel_grace = grace;
        self
    }

    /// How long this node may be silent before the others take its jobs: over zero. The default is 15 seconds.
    ///
    /// It says that it is alive five times as often, from a thread of its own: however long its jobs run, compute, block, or
    /// wait for each other, they are not started a second time while it lives. A shorter time finds a dead node sooner, and
    /// takes a node that cannot reach the database for so long for dead.
    ///
    /// Others count only the time during which they have been watching and the database answered. So the jobs of a process that
    /// died wait for this long after the next one has started, and nobody is taken for dead because the database was away or a
    /// clock was set.
    pub fn with_node_timeout(mut self, timeout: Duration) -> Self {
        self.options.node_timeout = timeout;
        self
    }

    /// How often the node looks for jobs that nothing told it of: over zero. The default is 5 seconds.
    pub fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.options.poll_interval = interval;
        self
    }
}
