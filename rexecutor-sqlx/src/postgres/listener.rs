//! The connection that hears what other processes say.
//!
//! The server keeps a snapshot open while a session does not read what it is notified of, and no dead row can be vacuumed
//! meanwhile. So it is read on a thread of its own, which jobs cannot block; where the whole process is stopped, the server
//! ends the session.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    backend::{BackendError, Result, Wakeup},
    clock::{Clock, SystemClock},
    job::ExecutorName,
};
use sqlx::{
    AssertSqlSafe, Connection, Executor,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

use super::{error::failed, notices::Notices, pooled::REMEDY, reach::connect_once};

const WHAT: &str = "could not hear notifications";

/// For how long a connection must have lasted to count as working: it is made again at once then.
pub(super) const STEADY: Duration = Duration::from_secs(1);

/// How a connection is made, and what becomes of what is heard on it.
pub(super) struct Listener {
    pub(super) server: PgConnectOptions,
    pub(super) channel: String,
    /// The settings of the session, and its own words to itself.
    pub(super) keep_listening: Arc<str>,
    pub(super) notify_nodes: Arc<str>,
    pub(super) limits: Limits,
    pub(super) notices: Arc<Notices>,
    pub(super) wakeup: Arc<Wakeup>,
    /// How the connection before this one ended, if the log is to be told.
    pub(super) lost: Option<BackendError>,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    connect: Duration,
    /// A connection that hears nothing for so long is asked whether it lives: one that died without a word stays silent.
    silence: Duration,
    /// An answer on it.
    answer: Duration,
}

impl Limits {
    /// A server's process that does not answer any more is found within 25 seconds, or within `timeout` if that is less, but not
    /// within less than 5: a slow answer is none of a dead process.
    pub(super) fn new(timeout: Duration, connect: Duration) -> Self {
        let within = timeout.clamp(Duration::from_secs(5), Duration::from_secs(25));
        Self { connect, silence: within * 3 / 5, answer: within * 2 / 5 }
    }
}

/// How a connection has ended.
pub(super) struct Ended {
    /// For how long it listened; `None`: it could not.
    pub(super) lasted: Option<Duration>,
    pub(super) error: BackendError,
}

impl Listener {
    /// Listens until the connection ends.
    pub(super) async fn run(mut self) -> Ended {
        let mut listener = match self.begin().await {
            Ok(listener) => listener,
            Err(error) => return Ended { lasted: None, error },
        };
        let since = SystemClock.elapsed();
        // Whatever was said before this is lost.
        self.wakeup.wake_all();
        if let Some(error) = self.lost.take() {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the connection that hears of new jobs was lost and made again");
        }
        let error = self.hear(&mut listener).await;
        Ended { lasted: Some(SystemClock.elapsed().saturating_sub(since)), error }
    }

    /// Connects and listens.
    async fn begin(&self) -> Result<PgListener> {
        let Limits { connect, answer, .. } = self.limits;
        // Not of the backend's pool: one of a single connection would have none left.
        let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let pool = pool.acquire_timeout(connect).connect_lazy_with(self.server.clone());
        let mut listener = match PgListener::connect_with(&pool).await {
            Ok(listener) => listener,
            // A pool does not say why.
            Err(error) => match Box::pin(connect_once(&self.server, connect)).await {
                Err(reason) => return Err(BackendError::transient(WHAT, reason)),
                Ok(_) => return Err(failed(WHAT)(error)),
            },
        };
        listener.eager_reconnect(false);
        let setup = async {
            let unread = self.limits.unread().as_millis().to_string();
            let settings = sqlx::query(AssertSqlSafe(self.keep_listening.clone())).bind(unread).persistent(false);
            listener.execute(settings).await?;
            listener.listen(&self.channel).await
        };
        self.answered(answer, setup).await?;
        self.make_sure(&mut listener).await?;
        Ok(listener)
    }

    /// Makes sure that what another session says arrives: through a pooler of transactions nothing does.
    async fn make_sure(&self, listener: &mut PgListener) -> Result<()> {
        let Limits { connect, answer, .. } = self.limits;
        // Where the server has no connection left for it, nobody can tell.
        let Ok(mut other) = Box::pin(connect_once(&self.server, connect)).await else { return Ok(()) };
        let word = self.notices.word();
        let say = async {
            let say = sqlx::query(AssertSqlSafe(self.notify_nodes.clone())).bind(self.channel.clone());
            match say.bind(vec![word.clone()]).persistent(false).execute(&mut other).await {
                // It has the session that listens, and is sent what it does not expect.
                Err(sqlx::Error::Protocol(_)) => return Ok(false),
                said => said?,
            };
            other.close().await.map(|()| true)
        };
        if !self.answered(answer, say).await? {
            return Err(BackendError::permanent(
                WHAT,
                format!("notifications arrive on a connection that does not listen: {REMEDY}"),
            ));
        }
        let heard = async {
            loop {
                match self.next(listener).await? {
                    payload if payload == word => return Ok(()),
                    payload => self.heard(&payload),
                }
            }
        };
        tokio::select! {
            biased;
            heard = heard => heard,
            () = SystemClock.sleep(answer) => Err(BackendError::permanent(
                WHAT,
                format!("notifications do not arrive on the connection that listens: {REMEDY}"),
            )),
        }
    }

    /// Ends when the connection does.
    async fn hear(&self, listener: &mut PgListener) -> BackendError {
        let mut silence = STEADY.min(self.limits.silence);
        loop {
            tokio::select! {
                heard = self.next(listener) => match heard {
                    Ok(payload) => self.heard(&payload),
                    Err(error) => return error,
                },
                () = SystemClock.sleep(silence) => {
                    // Once more changes nothing, and says in the server's list of sessions what this one is.
                    let ping = listener.listen(&self.channel);
                    if let Err(error) = self.answered(self.limits.answer, ping).await {
                        return error;
                    }
                    silence = self.limits.silence;
                    self.wakeup.watching();
                }
            }
        }
    }

    async fn next(&self, listener: &mut PgListener) -> Result<String> {
        match listener.try_recv().await.map_err(failed(WHAT))? {
            Some(notification) => Ok(notification.payload().to_owned()),
            None => Err(BackendError::transient(WHAT, "the connection ended")),
        }
    }

    async fn answered<T>(&self, limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            answer = work => answer.map_err(failed(WHAT)),
            () = SystemClock.sleep(limit) => {
                let problem = format!("the server's process that listens has not answered for {limit:?}");
                Err(BackendError::transient(WHAT, problem))
            }
        }
    }

    fn heard(&self, payload: &str) {
        let Some(notice) = self.notices.read(payload) else { return };
        for executor in notice.executors {
            self.wakeup.wake(&ExecutorName::from(executor));
        }
        for job in notice.cancelled {
            self.wakeup.cancel(job);
        }
        self.wakeup.end(&notice.ended);
        if notice.happened {
            self.wakeup.happened();
        }
    }
}

impl Limits {
    /// How long what is sent may stay unread.
    fn unread(&self) -> Duration {
        self.silence + self.answer
    }
}
