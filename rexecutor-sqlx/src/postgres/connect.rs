//! Connecting.

use std::sync::{Arc, OnceLock};

use rexecutor::{__private::while_waiting, backend::Listeners};
use sqlx::{
    ConnectOptions, Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    access,
    backend::{Database, PgBackend},
    claim_cursors::ClaimCursors,
    connect_error::ConnectError,
    connection_cache::{ConnectionCache, FRESH},
    failover::Failover,
    group_commit::GroupCommit,
    key_waiters::KeyWaiters,
    large::LargeJobs,
    member_connection::MemberConnection,
    migrate,
    options::PgOptions,
    queries::Queries,
    reach::{Reach, connect_once},
    row_locations::RowLocations,
    runtime::Runtimes,
    session::{INDEXED, OURS, check_runtime},
};
use crate::common::{Controlled, Room};

impl PgBackend {
    /// Connects with the default options, and creates the tables or brings them up to date.
    ///
    /// # Errors
    ///
    /// At once when the server cannot be reached, refuses, takes no writes, or holds the tables of a later version; after
    /// [`PgOptions::connect_timeout`] when it does not answer. The error says what to do.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, ConnectError> {
        PgOptions::new().connect(url).await
    }

    /// Uses a pool of yours, with the default options; see [`PgOptions::from_pool`].
    ///
    /// # Errors
    ///
    /// See [`connect`](Self::connect).
    pub async fn from_pool(pool: PgPool) -> Result<Self, ConnectError> {
        PgOptions::new().from_pool(pool).await
    }

    /// The name that [`connect`](Self::connect) had in rexecutor 0.1.
    ///
    /// # Errors
    ///
    /// See [`connect`](Self::connect).
    pub async fn from_db_url(url: impl AsRef<str>) -> Result<Self, ConnectError> {
        Self::connect(url).await
    }

    /// Creates the tables, or brings them up to date. Any number of nodes may call it at once.
    ///
    /// # Errors
    ///
    /// When the role may not create them, or a later version of this crate has been here; the error says what to do.
    pub async fn run_migrations(&self) -> Result<(), ConnectError> {
        migrate::run(&self.0).await
    }
}

#[cfg(feature = "__testing")]
impl PgBackend {
    /// Drops the schema with all its jobs, as after a test. Not public API.
    ///
    /// # Errors
    ///
    /// When the database fails.
    #[doc(hidden)]
    pub async fn drop_schema(&self) -> rexecutor::backend::Result<()> {
        self.drop_tables().await
    }

    /// Every statement by its name, as it is sent. Not public API.
    #[doc(hidden)]
    pub fn statements(&self) -> Vec<(&'static str, std::sync::Arc<str>)> {
        self.0.queries.all().into_iter().map(|(name, sql)| (name, sql.clone())).collect()
    }
}

impl PgOptions {
    /// Connects.
    ///
    /// # Errors
    ///
    /// See [`PgBackend::connect`].
    pub async fn connect(self, url: impl AsRef<str>) -> Result<PgBackend, ConnectError> {
        let opening = self.open(url.as_ref());
        while_waiting(opening).await
    }

    async fn open(self, url: &str) -> Result<PgBackend, ConnectError> {
        check_runtime("could not connect").map_err(|error| ConnectError::Database(error.into()))?;
        let mut options = parse(url)?;
        options = options.disable_statement_logging();
        if url_names_no_application(url) {
            options = options.application_name("rexecutor");
        }
        match self.transaction_pooling {
            // A pooler takes few parameters at the start of a session, and gives it to others.
            true => options = options.statement_cache_capacity(0).extra_float_digits(None),
            false => {
                let limit = [("statement_timeout", self.inner_timeout().as_millis().max(1).to_string())];
                options = options.options(limit).options(OURS).options(INDEXED);
            }
        }
        // By itself: a pool would try again and again, and then not say why.
        let mut connection = Box::pin(connect_once(&options, self.connect_timeout)).await?;
        let this = self.fit(&mut connection).await?;
        connection.close().await.map_err(ConnectError::new)?;
        // A connection that died is found when its transaction begins, or when it was idle for a while.
        let pool = PgPoolOptions::new().max_connections(this.max_connections.max(1)).test_before_acquire(false);
        let failover = Failover::default();
        let (accepting, runtimes) = (failover.clone(), Runtimes::default());
        let present = runtimes.clone();
        let pool = pool.before_acquire(move |connection, about| {
            let is_accepted = accepting.accepts(&about) && !present.may_have_ended(about.age);
            let is_fresh = about.idle_for < FRESH;
            Box::pin(async move {
                // A statement alone cannot tell a connection that was dead before from one that died of it.
                Ok(is_accepted && (is_fresh || connection.ping().await.is_ok()))
            })
        });
        let has_settings = !this.transaction_pooling;
        let pool = pool.acquire_timeout(this.inner_timeout()).connect_lazy_with(options);
        this.use_pool(pool, failover, runtimes, has_settings).await
    }

    /// Uses a pool of yours, which must allow two connections at least; the connection that listens and the one that says that
    /// the nodes live are not of the pool.
    ///
    /// A pool through a pooler of transactions, as PgBouncer or RDS Proxy, is made with
    /// `PgConnectOptions::extra_float_digits(None)` and `statement_cache_capacity(0)`, and needs
    /// [`transaction_pooling`](Self::transaction_pooling).
    ///
    /// What needs settings of the connections is then not done: a statement alone takes three round trips here instead of
    /// one, because a transaction brings the settings; and a server that has become read-only is not left.
    ///
    /// # Errors
    ///
    /// See [`PgBackend::connect`].
    pub async fn from_pool(self, pool: PgPool) -> Result<PgBackend, ConnectError> {
        while_waiting(self.open_pool(pool)).await
    }

    async fn open_pool(self, pool: PgPool) -> Result<PgBackend, ConnectError> {
        // A pool that has connections may be all that the server gives.
        if pool.size() == 0 {
            let connection = Box::pin(connect_once(&pool.connect_options(), self.connect_timeout)).await?;
            connection.close().await.map_err(ConnectError::new)?;
        }
        self.use_pool(pool, Failover::default(), Runtimes::default(), false).await
    }

    async fn use_pool(
        self,
        pool: PgPool,
        failover: Failover,
        runtimes: Runtimes,
        has_settings: bool,
    ) -> Result<PgBackend, ConnectError> {
        let queries = Queries::new(&self.schema)
            .map_err(|problem| ConnectError::Schema { name: self.schema.clone(), problem })?;
        let migrates = self.migrate;
        let key_waiters = KeyWaiters::of(pool.options().get_max_connections());
        let backend = PgBackend(Arc::new(Database {
            pool,
            connections: ConnectionCache::default(),
            member_connection: MemberConnection::default(),
            key_waiters,
            failover,
            has_settings,
            queries,
            options: self,
            listeners: Listeners::default(),
            controls: Controlled::default(),
            reading_controls: tokio::sync::Mutex::default(),
            identity: OnceLock::new(),
            group_commit: GroupCommit::default(),
            notices: Arc::default(),
            missing_grants: OnceLock::new(),
            reach: Reach::default(),
            runtimes,
            large: LargeJobs::default(),
            cursors: ClaimCursors::default(),
            room: Room::default(),
            locations: RowLocations::default(),
        }));
        backend.0.answered(access::check(&backend.0)).await?;
        match migrates {
            true => migrate::run(&backend.0).await?,
            false => migrate::check(&backend.0).await?,
        }
        // Now, and not within a transaction of the application's, which may hold the pool's last connection. Where it fails,
        // it is asked then.
        let _ = backend.0.identify().await;
        Ok(backend)
    }
}

/// The driver takes any scheme, and connects to its defaults where an address makes no sense to it.
pub(super) fn parse(url: &str) -> Result<PgConnectOptions, ConnectError> {
    match url.split_once(':') {
        Some((scheme, _)) if !matches!(scheme, "postgres" | "postgresql") && !scheme.contains('/') => {
            Err(ConnectError::Scheme { scheme: scheme.to_owned() })
        }
        _ => url.parse().map_err(ConnectError::new),
    }
}

fn url_names_no_application(url: &str) -> bool {
    !url.contains("application_name=")
}
