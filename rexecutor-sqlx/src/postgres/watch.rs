//! Hearing what other processes do.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    backend::{BackendError, Result, Wakeup},
    clock::{Clock, SystemClock},
    job::ExecutorName,
};
use sqlx::{
    Executor,
    postgres::{PgListener, PgNotification, PgPoolOptions},
};

use super::{backend::Database, error::failed};

/// How often a connection that hears nothing is asked whether it lives: one that died without a word stays silent.
const PING: Duration = Duration::from_secs(15);

impl Database {
    pub(super) async fn watch(&self, wakeup: Arc<Wakeup>) -> Result<()> {
        match self.options.listens() {
            true => self.listen(&wakeup).await,
            false => self.poll(&wakeup).await,
        }
    }

    async fn poll(&self, wakeup: &Wakeup) -> Result<()> {
        let clock: Arc<dyn Clock> = self.options.clock.clone().unwrap_or_else(|| Arc::new(SystemClock));
        loop {
            clock.sleep(self.options.poll_interval).await;
            wakeup.wake_all();
        }
    }

    /// Ends with an error when the connection does.
    async fn listen(&self, wakeup: &Wakeup) -> Result<()> {
        // Not of the pool: a pool of one connection would have none left.
        let options = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let options = options.acquire_timeout(self.options.timeout);
        let pool = options.connect_lazy_with(self.pool.connect_options().as_ref().clone());
        let begin = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.eager_reconnect(false);
            listener.listen(&self.queries.channel).await?;
            Ok(listener)
        };
        let mut listener = self.limited("could not listen for notifications", begin).await?;
        // Whatever was said before this is lost.
        wakeup.wake_all();
        loop {
            tokio::select! {
                heard = listener.try_recv() => match heard.map_err(failed("could not hear notifications"))? {
                    Some(notification) => self.heard(&notification, wakeup),
                    None => return Err(BackendError::transient("could not hear notifications", "the connection ended")),
                },
                () = SystemClock.sleep(PING) => {
                    let ping = async { listener.execute("SELECT 1").await };
                    self.limited("could not hear notifications", ping).await?;
                }
            }
        }
    }

    fn heard(&self, notification: &PgNotification, wakeup: &Wakeup) {
        let Some(notice) = self.notices.read(notification.payload()) else { return };
        for executor in notice.executors {
            wakeup.wake(&ExecutorName::from(executor));
        }
        for job in notice.cancelled {
            wakeup.cancel(job);
        }
    }
}
