//! Transactions, and how long they may take.

use std::{
    ops::{Deref, DerefMut},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{BackendError, Result, in_micros},
    clock::{Clock, SystemClock},
};
use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, Transaction, pool::PoolConnection, postgres::PgArguments, query::Query,
};

use super::{backend::Database, connection_cache::ConnectionCache, error};

/// Where one statement is carried out.
pub(super) enum Session {
    /// By itself, in one round trip: the session's own settings suit it.
    Alone(PoolConnection<Postgres>, ConnectionCache),
    /// In a transaction that brings the settings, in three.
    Within(Transaction<'static, Postgres>),
}

impl Session {
    /// Commits what is not committed yet. To be called when every answer has come; else the connection is looked at again
    /// before its next use.
    pub(super) async fn end(self) -> sqlx::Result<()> {
        match self {
            Self::Alone(connection, cache) => {
                cache.put(connection);
                Ok(())
            }
            Self::Within(transaction) => transaction.commit().await,
        }
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Alone(connection, _) => connection,
            Self::Within(transaction) => transaction,
        }
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Alone(connection, _) => connection,
            Self::Within(transaction) => transaction,
        }
    }
}

impl Database {
    /// The test clock's time; `None`: the database's counts.
    pub(super) fn now(&self) -> Option<DateTime<Utc>> {
        self.options.clock.as_ref().map(|clock| in_micros(clock.now()))
    }

    /// A statement of ours. Its values are bound.
    pub(super) fn query(&self, sql: &Arc<str>) -> Query<'static, Postgres, PgArguments> {
        sqlx::query(AssertSqlSafe(sql.clone())).persistent(!self.options.transaction_pooling)
    }

    /// A session for a single statement.
    pub(super) async fn session(&self) -> sqlx::Result<Session> {
        if !self.has_settings {
            return self.begin().await.map(Session::Within);
        }
        self.enter_runtime();
        let connection = match self.connections.take() {
            Ok(connection) => connection,
            Err(_waiting) => self.reached(self.taken(Box::pin(self.pool.acquire()))).await?,
        };
        Ok(Session::Alone(connection, self.connections.clone()))
    }

    /// A session for claims: where somebody listens for events they are told of in the same transaction.
    pub(super) async fn claiming_session(&self) -> sqlx::Result<Session> {
        match self.controls.is_heard() {
            true => self.begin().await.map(Session::Within),
            false => self.session().await,
        }
    }

    /// The same session after a statement that has failed, with nothing of it left.
    pub(super) async fn again(&self, session: Session) -> sqlx::Result<Session> {
        match session {
            // What is left of the answer is read before the next statement.
            Session::Alone(..) => Ok(session),
            Session::Within(transaction) => {
                transaction.rollback().await?;
                self.begin().await.map(Session::Within)
            }
        }
    }

    /// Begins a transaction, with its settings in the same round trip.
    pub(super) async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        self.begin_with(&set_local(&INDEXED)).await
    }

    /// Begins a transaction whose statements the planner may carry out as it likes.
    pub(super) async fn begin_free(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        self.begin_with(FREE).await
    }

    /// … and have a time limit of their own, if that is shorter.
    pub(super) async fn begin_reading(&self, timeout: Duration) -> sqlx::Result<Transaction<'static, Postgres>> {
        let timeout = timeout.min(self.options.inner_timeout()).as_millis();
        self.begin_with(&format!("{FREE}; SET LOCAL statement_timeout = {timeout}")).await
    }

    /// Begins a transaction whose commit does not wait for the disk.
    pub(super) async fn begin_unflushed(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        self.begin_with(&format!("{}; SET LOCAL synchronous_commit = off", set_local(&INDEXED))).await
    }

    pub(super) async fn begin_with(&self, settings: &str) -> sqlx::Result<Transaction<'static, Postgres>> {
        let begin = begin_statement(self.options.inner_timeout(), settings);
        self.enter_runtime();
        let _waiting = self.connections.release_all();
        // After an outage every idle connection is dead. Nothing has happened yet, so the next one may try.
        let mut left = self.pool.options().get_max_connections();
        loop {
            let (pool, begin) = (self.pool.clone(), AssertSqlSafe(begin.clone()));
            match self.reached(self.taken(Box::pin(async move { pool.begin_with(begin).await }))).await {
                Err(error) if left > 0 && error::is_dead_connection(&error) => left -= 1,
                answer => return answer,
            }
        }
    }

    /// What [`begin`](Self::begin) says, for a connection that is not of the pool.
    pub(super) fn begin_statement(&self) -> String {
        begin_statement(self.options.inner_timeout(), &set_local(&INDEXED))
    }

    /// Waits for `work`, but not for ever: a server that does not answer at all keeps no statement's time limit.
    pub(super) async fn limited<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T> {
        self.limited_by(&Progress::default(), what, work).await
    }

    /// … and for as long again whenever it has made progress.
    pub(super) async fn limited_by<T>(
        &self,
        progress: &Progress,
        what: &'static str,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T> {
        check_runtime(what)?;
        let limit = self.options.timeout;
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                answer = &mut work => {
                    return answer.inspect_err(|error| self.notice(error)).map_err(|error| match error {
                        sqlx::Error::PoolTimedOut => BackendError::transient(what, self.no_connection()),
                        error => error::failed(what)(error),
                    });
                }
                () = SystemClock.sleep(limit) => if !progress.take() {
                    return Err(self.too_late(what));
                },
            }
        }
    }
}

impl Database {
    /// The time of a call is over.
    pub(super) fn too_late(&self, what: &'static str) -> BackendError {
        BackendError::transient(what, format!("the server has not answered for {:?}", self.options.timeout))
    }
}

/// Whether work of many statements gets on.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicBool);

impl Progress {
    /// A part of it is done.
    pub(super) fn made(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether any part was done since this was last asked.
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Database {
    /// Takes in an error, which other connections may meet too.
    fn notice(&self, error: &sqlx::Error) {
        drop(self.connections.release_all());
        self.failover.notice(error);
    }
}

/// What a role, a database or an address may set, and no statement of ours can live with: one that waits for a lock is
/// limited by its own time, and what it decides under locks needs READ COMMITTED.
pub(super) const OURS: [(&str, &str); 2] = [("lock_timeout", "0"), ("default_transaction_isolation", "read committed")];

/// Small batches by index, whatever the statistics say: a table that was empty when it was last analysed may have a
/// million rows now. There is one good plan, and making it takes longer than carrying it out, so it is made once.
pub(super) const INDEXED: [(&str, &str); 4] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// What the planner may do again.
const FREE: &str = "SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on; SET LOCAL plan_cache_mode = auto";

/// Begins a transaction with its settings. LOCAL: a pooler may give the session to somebody else afterwards.
fn begin_statement(timeout: Duration, settings: &str) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {timeout}; \
         SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = {idle}; {settings}",
        timeout = timeout.as_millis().clamp(1, i32::MAX.unsigned_abs().into()),
        idle = timeout.as_millis().saturating_mul(2).clamp(1, i32::MAX.unsigned_abs().into()),
    )
}

pub(super) fn set_local(settings: &[(&str, &str)]) -> String {
    settings.iter().map(|(name, value)| format!("SET LOCAL {name} = {value}")).collect::<Vec<_>>().join("; ")
}

/// Refuses to go on where the driver would panic.
pub(super) fn check_runtime(what: &'static str) -> Result<()> {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => Ok(()),
        Err(error) => Err(BackendError::permanent(what, NoRuntime(error))),
    }
}

/// There is no runtime to be connected on.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL is asked outside of a tokio runtime: do it in `#[tokio::main]`, or in `Runtime::block_on`")]
struct NoRuntime(#[source] tokio::runtime::TryCurrentError);

/// Does `work` on a task of its own, so that the caller's goes on while another core writes the arguments and reads the
/// rows.
pub(super) async fn apart<T: Send + 'static>(
    what: &'static str,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    check_runtime(what)?;
    tokio::spawn(work).await.unwrap_or_else(|error| Err(BackendError::transient(what, error)))
}
