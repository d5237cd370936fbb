//! How PostgreSQL is used.

use std::{sync::Arc, time::Duration};

use rexecutor::clock::Clock;

/// How a PostgreSQL database is used. Every default suits most programs.
///
/// # Examples
///
/// ```no_run
/// use rexecutor_sqlx::PgOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = PgOptions::new().schema("jobs").max_connections(20).connect("postgres://db.example.com/app").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "options connect to nothing by themselves"]
pub struct PgOptions {
    pub(super) schema: String,
    pub(super) max_connections: u32,
    pub(super) poll_interval: Duration,
    pub(super) notifications: bool,
    pub(super) notify_in_transactions: bool,
    pub(super) transaction_pooling: bool,
    pub(super) async_settles: bool,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) migrate: bool,
    pub(super) clock: Option<Arc<dyn Clock>>,
}

impl PgOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            schema: "rexecutor".to_owned(),
            max_connections: 10,
            poll_interval: Duration::from_secs(1),
            notifications: true,
            notify_in_transactions: true,
            transaction_pooling: false,
            async_settles: false,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            migrate: true,
            clock: None,
        }
    }

    /// In which schema the tables stand, at most 53 bytes. The default is `rexecutor`.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// How many connections there are at most, beside the one that listens and the one by which the nodes of the process say
    /// that they live. The default is 10. It says nothing about a pool of your own.
    ///
    /// A quarter of them is kept for whatever does not wait for unique keys that other transactions hold.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections;
        self
    }

    /// How often a node looks for jobs where nodes cannot be notified: with [`transaction_pooling`](Self::transaction_pooling), or
    /// without [`notifications`](Self::notifications). The default is 1 second. Where they can be, a node finds what no notice
    /// came for within its own poll interval, which is 5 seconds by default (`NodeBuilder::with_poll_interval`).
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Whether nodes wake each other by `LISTEN` and `NOTIFY`; otherwise they poll. The default is that they do.
    pub fn notifications(mut self, notifications: bool) -> Self {
        self.notifications = notifications;
        self
    }

    /// Whether the commit of a transaction of the application's notifies nodes of the jobs that it enqueued. Such commits
    /// wait for each other; without it those jobs are found by polling. The default is that it does.
    pub fn notify_in_transactions(mut self, notify: bool) -> Self {
        self.notify_in_transactions = notify;
        self
    }

    /// Works through a pooler that hands each transaction another session, such as PgBouncer in transaction mode, with its
    /// settings as they are delivered, or RDS Proxy: statements are not kept prepared, and nodes poll because they cannot
    /// listen. The default is not to. Without it, the first error that comes of a pooler says that this is missing.
    pub fn transaction_pooling(mut self, pooling: bool) -> Self {
        self.transaction_pooling = pooling;
        self
    }

    /// Whether the outcomes of jobs are stored without waiting for the disk. The default is to wait.
    ///
    /// It saves one flush of the disk a batch. The price: when the server crashes, it may forget what it was told in the
    /// last moments, at most three times its `wal_writer_delay`, which is 200 ms unless it is set. Those jobs run again,
    /// as soon as their node has noticed. Enqueued jobs and claims are not affected.
    pub fn async_settles(mut self, is_async: bool) -> Self {
        self.async_settles = is_async;
        self
    }

    /// How long a call waits for a server that cannot be reached, before it fails and says why: at least 1 millisecond. The
    /// default is 5 seconds.
    ///
    /// [`connect`](Self::connect) does not wait for a server that refuses, only for one that does not answer. A pool whose
    /// connections are all in use is another matter: see [`timeout`](Self::timeout).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// How long a call may take: waiting for a free connection, and for the server. The default is 30 seconds.
    ///
    /// A call that stores more than 1,000 jobs may take as long for each thousand. The server is asked to end a statement
    /// somewhat earlier, by a twentieth and at most by a second; a server that does not answer at all ends no call later.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// Whether connecting creates the tables, or brings them up to date. The default is that it does; otherwise call
    /// [`PgBackend::run_migrations`](super::PgBackend::run_migrations).
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// Goes by this clock, as under test. The default is the database's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// How long the server may take, and the pool: what they say of it tells more than that the time of a call is over.
    pub(super) fn inner_timeout(&self) -> Duration {
        self.timeout - (self.timeout / 20).min(Duration::from_secs(1))
    }

    /// Whether nodes can be notified.
    pub(super) fn listens(&self) -> bool {
        self.notifications && !self.transaction_pooling
    }
}

impl Default for PgOptions {
    fn default() -> Self {
        Self::new()
    }
}
