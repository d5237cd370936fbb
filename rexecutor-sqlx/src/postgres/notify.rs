//! Waking nodes: those of this process at once, those of others by a notice.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rexecutor::{
    clock::{Clock, SystemClock},
    job::{ExecutorName, JobId},
};

use super::backend::Database;

/// How long after one notice the next one goes out at the earliest; those between gather.
const PAUSE: Duration = Duration::from_millis(3);

impl Database {
    /// Wakes the nodes of this process, and tells those of others.
    pub(super) fn wake(self: &Arc<Self>, executors: BTreeSet<ExecutorName>) {
        for executor in &executors {
            self.listeners.each(|wakeup| wakeup.wake(executor));
        }
        self.tell(executors, None);
    }

    /// Tells the other processes, soon.
    pub(super) fn tell(self: &Arc<Self>, executors: BTreeSet<ExecutorName>, cancelled: Option<JobId>) {
        if self.options.listens()
            && (!executors.is_empty() || cancelled.is_some())
            && self.notices.add(executors, cancelled)
        {
            tokio::spawn(tell_pending(self.clone()));
        }
    }

    /// Whether there was anything to tell.
    async fn tell_once(&self) -> bool {
        let Some(payloads) = self.notices.take() else { return false };
        let query = self.query(&self.queries.notify_nodes).bind(self.queries.channel.clone()).bind(payloads);
        let work = async {
            let mut session = self.session().await?;
            query.execute(&mut *session).await?;
            session.end().await
        };
        if let Err(error) = self.limited("could not notify other nodes", work).await {
            // They poll.
            tracing::debug!(error = %error, "other nodes could not be notified");
        }
        true
    }
}

/// Ends as soon as there is nothing to tell, and the database with it, if nobody else holds it.
async fn tell_pending(database: Arc<Database>) {
    while database.tell_once().await {
        SystemClock.sleep(PAUSE).await;
    }
}
