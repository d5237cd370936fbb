//! The connection by which nodes stay members, beside the pool: on a thread and a runtime of its own.
//!
//! Jobs may hold every connection of the pool, every thread for blocking work, which a look-up of the server's name needs,
//! and the runtime itself. None of it keeps this connection from being used, or from being made again.
//!
//! # Invariants
//!
//! - The thread holds the database no longer than for the request under way: it ends with the last clone of the backend.
//! - A connection on which anything has failed, or whose answer nobody has waited for, is not used again.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::LocalBoxFuture;
use rexecutor::{
    backend::{BackendError, Result},
    clock::{Clock, SystemClock},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, Transaction, pool::PoolConnection};
use tokio::sync::{mpsc, oneshot};

use super::{backend::Database, error::failed, reach::connect_once};
use crate::common::log;

/// The connection, while there is one.
type Line = Option<PgConnection>;

type Request = Box<dyn for<'l> FnOnce(&'l mut Line) -> LocalBoxFuture<'l, ()> + Send>;

/// The way to the thread, once it was needed.
#[derive(Debug, Default)]
pub(super) struct MemberConnection(Mutex<Option<mpsc::UnboundedSender<Request>>>);

impl MemberConnection {
    fn send(&self, request: Request) -> io::Result<()> {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let request = match &*requests {
            Some(thread) => match thread.send(request) {
                Ok(()) => return Ok(()),
                // The thread is gone, as after a panic.
                Err(mpsc::error::SendError(request)) => request,
            },
            None => request,
        };
        let thread = start()?;
        // It waits for this.
        let _ = thread.send(request);
        *requests = Some(thread);
        Ok(())
    }
}

fn start() -> io::Result<mpsc::UnboundedSender<Request>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (requests, inbox) = mpsc::unbounded_channel();
    let log = log();
    let work = move || {
        // What the thread logs goes where this task's log goes.
        let _log = log.as_ref().map(tracing::dispatcher::set_default);
        runtime.block_on(serve(inbox));
        // A look-up of a host's name may still be under way: nobody waits for it.
        runtime.shutdown_background();
    };
    std::thread::Builder::new().name("rexecutor-postgres".to_owned()).spawn(work)?;
    Ok(requests)
}

async fn serve(mut inbox: mpsc::UnboundedReceiver<Request>) {
    let mut line = None;
    while let Some(request) = inbox.recv().await {
        request(&mut line).await;
    }
    close(&mut line).await;
}

async fn close(line: &mut Line) {
    if let Some(connection) = line.take() {
        tokio::select! {
            _ = connection.close() => {}
            () = SystemClock.sleep(Duration::from_secs(1)) => {}
        }
    }
}

impl Database {
    /// Does `work` on the connection. What nobody waits for any more is not begun, and given up if it was.
    pub(super) async fn as_member<T: Send + 'static>(
        self: &Arc<Self>,
        what: &'static str,
        work: impl AsyncFnOnce(&Self, &mut PgConnection) -> sqlx::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (mut answer, answered) = oneshot::channel();
        let database = self.clone();
        let request: Request = Box::new(move |line| {
            Box::pin(async move {
                let Some(connection) = database.connected(line, &mut answer, what).await else { return };
                let done = match connection {
                    Err(error) => Err(error),
                    Ok(mut connection) => tokio::select! {
                        biased;
                        done = work(&database, &mut connection) => match done {
                            Ok(value) => {
                                *line = Some(connection);
                                Ok(value)
                            }
                            Err(error) => {
                                database.failover.notice(&error);
                                Err(failed(what)(error))
                            }
                        },
                        () = answer.closed() => return,
                    },
                };
                // The caller's may be the last, and end more than this thread can wait for.
                drop(database);
                let _ = answer.send(done);
            })
        });
        let lost = || BackendError::transient(what, "the thread of the connection has ended");
        self.member_connection.send(request).map_err(|error| BackendError::transient(what, error))?;
        let limit = self.options.timeout;
        tokio::select! {
            biased;
            done = answered => done.unwrap_or_else(|_| Err(lost())),
            () = SystemClock.sleep(limit) => {
                Err(BackendError::transient(what, format!("the server has not answered for {limit:?}")))
            }
        }
    }

    /// The connection, or why there is none; `None` if nobody waits for it.
    async fn connected<T>(
        &self,
        line: &mut Line,
        answer: &mut oneshot::Sender<T>,
        what: &'static str,
    ) -> Option<Result<PgConnection>> {
        if answer.is_closed() {
            return None;
        }
        if line.is_none() {
            // For whoever asks next, if this one gives up.
            match self.connect_member(what).await {
                Ok(connection) => *line = Some(connection),
                Err(error) => return Some(Err(error)),
            }
        }
        if answer.is_closed() { None } else { line.take().map(Ok) }
    }

    async fn connect_member(&self, what: &'static str) -> Result<PgConnection> {
        let options = self.pool.connect_options();
        if self.has_settings {
            let connecting = connect_once(&options, self.options.connect_timeout).await;
            return connecting.map_err(|error| match error.is_transient() {
                true => BackendError::transient(what, error),
                false => BackendError::permanent(what, error),
            });
        }
        // The application's pool may do something to each connection, as set a role.
        let pool = self.pool.options().clone().min_connections(0).max_connections(1);
        let pool = pool.acquire_timeout(self.options.connect_timeout).connect_lazy_with(options.as_ref().clone());
        pool.acquire().await.map(PoolConnection::detach).map_err(failed(what))
    }

    /// Closes the connection, until it is needed again.
    pub(super) fn hang_up(&self) {
        // Without a thread there is nothing to close.
        let _ = self.member_connection.send(Box::new(|line| Box::pin(close(line))));
    }

    /// Carries out a statement alone, in settings of ours.
    pub(super) async fn alone<T>(
        &self,
        connection: &mut PgConnection,
        statement: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        if self.has_settings {
            return statement(connection).await;
        }
        let mut transaction = self.begin_on(connection).await?;
        let answer = statement(&mut transaction).await?;
        transaction.commit().await?;
        Ok(answer)
    }

    /// Begins a transaction on the connection, as [`begin`](Self::begin) does on one of the pool.
    pub(super) async fn begin_on<'c>(
        &self,
        connection: &'c mut PgConnection,
    ) -> sqlx::Result<Transaction<'c, Postgres>> {
        connection.begin_with(AssertSqlSafe(self.begin_statement())).await
    }
}
