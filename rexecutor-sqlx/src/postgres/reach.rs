//! Whether the server can be reached, and if not, why.
//!
//! A pool keeps trying until its time is over and then says only that the time is over. So one connection is made beside it: its
//! error names the reason.

use std::{fmt, sync::Arc, time::Duration};

use rexecutor::{
    backend::{BackendError, Result},
    clock::{Clock, SystemClock},
};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::Mutex;

use super::{
    backend::{Database, PgBackend},
    connect_error::{ConnectError, server},
    error::{Cause, failed},
};

/// What the last look at the server has found, and when, in the time that nobody can set; `None`: nobody has looked.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Held by whoever looks: a hundred callers who wait for a connection make one attempt, and share its answer.
    last: Mutex<Option<(Duration, Sight)>>,
}

/// That a connection could be made, or why not.
type Sight = std::result::Result<(), Arc<ConnectError>>;

/// Makes one connection, within `limit`.
pub(super) async fn connect_once(
    options: &PgConnectOptions,
    limit: Duration,
) -> std::result::Result<PgConnection, ConnectError> {
    tokio::select! {
        answer = PgConnection::connect_with(options) => answer.map_err(|error| ConnectError::connecting(error, options)),
        () = SystemClock.sleep(limit) => Err(silent(options, limit)),
    }
}

/// The server has not answered in time.
fn silent(options: &PgConnectOptions, limit: Duration) -> ConnectError {
    ConnectError::Unreachable { server: server(options), source: format!("no answer within {limit:?}").into() }
}

fn is_there(reason: &ConnectError) -> bool {
    matches!(reason, ConnectError::TooManyConnections(_))
}

impl Database {
    /// Ends with the reason once no connection could be made to the server for `limit`. It never ends while the server
    /// takes connections: then the pool is only busy.
    pub(super) async fn unreachable(&self, limit: Duration) -> sqlx::Error {
        let pause = limit / 5;
        let mut since = SystemClock.elapsed();
        loop {
            SystemClock.sleep(pause).await;
            let left = || limit.saturating_sub(SystemClock.elapsed().saturating_sub(since));
            // Boxed when it comes to that: every call that waits for a connection would carry its size around.
            let sight = Box::pin(self.look(pause, left().max(pause))).await;
            match sight {
                // A server that has no connection left is there.
                Err(reason) if !is_there(&reason) && left() <= pause => {
                    let gone = Gone { limit, reason };
                    return sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, gone));
                }
                Err(reason) if !is_there(&reason) => {}
                _ => {
                    SystemClock.sleep(limit).await;
                    since = SystemClock.elapsed();
                }
            }
        }
    }

    /// Waits for an answer while connecting, but not longer than a call may take.
    pub(super) async fn answered<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, ConnectError>>,
    ) -> std::result::Result<T, ConnectError> {
        let limit = self.options.timeout;
        tokio::select! {
            biased;
            answer = work => answer,
            () = SystemClock.sleep(limit) => Err(silent(&self.pool.connect_options(), limit)),
        }
    }

    /// What the server answers, no longer than `fresh` ago.
    async fn look(&self, fresh: Duration, limit: Duration) -> Sight {
        let options = self.pool.connect_options();
        let look = async {
            let mut last = self.reach.last.lock().await;
            let age = |at: Duration| SystemClock.elapsed().saturating_sub(at);
            match &*last {
                Some((at, sight)) if age(*at) < fresh => return sight.clone(),
                _ => {}
            }
            let sight = match connect_once(&options, limit).await {
                Ok(connection) => connection.close().await.map_err(|error| ConnectError::connecting(error, &options)),
                Err(error) => Err(error),
            };
            last.insert((SystemClock.elapsed(), sight.map_err(Arc::new))).1.clone()
        };
        tokio::select! {
            sight = look => sight,
            // Somebody else is looking, and has no answer either.
            () = SystemClock.sleep(limit) => Err(Arc::new(silent(&options, limit))),
        }
    }

    /// Waits for a connection of the pool, or for a transaction on one, but not for a server that is gone.
    pub(super) async fn reached<T>(&self, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        tokio::select! {
            biased;
            answer = work => answer,
            error = self.unreachable(self.options.connect_timeout) => Err(error),
        }
    }

    /// Why nobody got a connection in time: the server cannot be reached, or all connections are in use.
    pub(super) fn no_connection(&self) -> Cause {
        let last = self.reach.last.try_lock().ok().and_then(|last| last.clone());
        let pool = self.pool.options();
        match last {
            Some((_, Err(reason))) => Shared(reason).into(),
            // Nobody has looked yet where the server may be silent for longer than a connection is waited for.
            found => format!(
                "{}each of the {} connections of the pool was in use for {:?}: raise \
                 `PgOptions::max_connections`, or keep connections of your own pool for a shorter time",
                if found.is_some() { "the server answers, but " } else { "" },
                pool.get_max_connections(),
                pool.get_acquire_timeout(),
            )
            .into(),
        }
    }
}

impl PgBackend {
    /// Checks within `timeout` that the database answers, for health checks.
    ///
    /// It uses a connection of the pool, as enqueuing does, so it also fails where none is free for that long.
    ///
    /// # Errors
    ///
    /// When the database has not answered by then, or refuses; the causes say why. It is safe to call it again.
    pub async fn ping(&self, timeout: Duration) -> Result<()> {
        const WHAT: &str = "the database does not answer";
        let database = &self.0;
        let work = async {
            let mut session = database.session().await?;
            database.query(&database.queries.read_clock).bind(database.now()).execute(&mut *session).await?;
            session.end().await
        };
        tokio::select! {
            biased;
            answer = work => answer.map_err(|error| match error {
                sqlx::Error::PoolTimedOut => BackendError::transient(WHAT, database.no_connection()),
                error => failed(WHAT)(error),
            }),
            error = database.unreachable(timeout) => Err(failed(WHAT)(error)),
            () = SystemClock.sleep(timeout) => Err(BackendError::transient(WHAT, format!("no answer within {timeout:?}"))),
        }
    }
}

/// No connection could be made for some time.
#[derive(Debug)]
pub(super) struct Gone {
    limit: Duration,
    reason: Arc<ConnectError>,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection to PostgreSQL could be made for {:?}", self.limit)
    }
}

impl std::error::Error for Gone {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.reason)
    }
}

/// An error that several callers are told.
#[derive(Debug)]
struct Shared(Arc<ConnectError>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
