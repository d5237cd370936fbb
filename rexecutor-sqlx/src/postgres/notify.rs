//! Waking nodes: those of this process at once, those of others by a notice.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rexecutor::{
    clock::{Clock, SystemClock},
    job::{ExecutorName, JobId},
};
use sqlx::{Connection, Postgres, postgres::PgArguments, query::Query};
use tokio::sync::oneshot;

use super::{backend::Database, notices::Teller, reach::connect_once};

/// How long after one notice the next one goes out at the earliest; those between gather.
const PAUSE: Duration = Duration::from_millis(3);

/// How long a lone notice is waited for, and how long the end of a runtime waits for what it still has to tell.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Database {
    /// Wakes the nodes of this process, and tells those of others, soon.
    pub(super) fn wake(self: &Arc<Self>, executors: BTreeSet<ExecutorName>) {
        self.wake_here(&executors);
        let _ = self.tell(executors, None, &[]);
    }

    /// … and waits until they are told, if nothing else was of late: the process may end now.
    pub(super) async fn wake_and_tell(self: &Arc<Self>, executors: BTreeSet<ExecutorName>) {
        self.wake_here(&executors);
        self.tell_all(executors, None).await;
    }

    /// Tells the other processes, and waits for that if nothing else was told of late.
    pub(super) async fn tell_all(self: &Arc<Self>, executors: BTreeSet<ExecutorName>, cancelled: Option<JobId>) {
        if let Some(told) = self.tell(executors, cancelled, &[]) {
            // Not for long: what is enqueued is stored, also where no connection is free to say so.
            tokio::select! {
                _ = told => {}
                () = SystemClock.sleep(LAST_WORDS) => {}
            }
        }
    }

    fn wake_here(&self, executors: &BTreeSet<ExecutorName>) {
        for executor in executors {
            self.listeners.each(|wakeup| wakeup.wake(executor));
        }
    }

    /// Tells the other processes, soon. What this returns, if anything, is to be waited for.
    pub(super) fn tell(
        self: &Arc<Self>,
        executors: BTreeSet<ExecutorName>,
        cancelled: Option<JobId>,
        ended: &[JobId],
    ) -> Option<oneshot::Receiver<()>> {
        if !self.options.listens() || (executors.is_empty() && cancelled.is_none() && ended.is_empty()) {
            return None;
        }
        self.tell_by(self.notices.add(executors, cancelled, ended, SystemClock.elapsed()))
    }

    /// Tells the other processes, soon, that there are events to be read.
    pub(super) fn tell_happened(self: &Arc<Self>) {
        if self.options.listens() {
            let _ = self.tell_by(self.notices.add_happened(SystemClock.elapsed()));
        }
    }

    fn tell_by(self: &Arc<Self>, teller: Teller) -> Option<oneshot::Receiver<()>> {
        if teller == Teller::Known {
            return None;
        }
        let (told, is_told) = oneshot::channel();
        // A task of its own: a caller that gives up must not take what others have to tell with it.
        tokio::spawn(Telling { database: self.clone(), under_way: Vec::new(), is_over: false }.run(told));
        (teller == Teller::Awaited).then_some(is_told)
    }

    fn notify(&self, payloads: Vec<String>) -> Query<'static, Postgres, PgArguments> {
        self.query(&self.queries.notify_nodes).bind(self.queries.channel.clone()).bind(payloads)
    }
}

/// The task that tells. It ends as soon as there is nothing to tell, and the database with it, if nobody else holds it.
struct Telling {
    database: Arc<Database>,
    /// What may not have been told yet.
    under_way: Vec<String>,
    is_over: bool,
}

impl Telling {
    async fn run(mut self, told: oneshot::Sender<()>) {
        let mut told = Some(told);
        while self.once().await {
            told.take().map(|told| told.send(()));
            SystemClock.sleep(PAUSE).await;
        }
        self.is_over = true;
    }

    /// Whether there was anything to tell.
    async fn once(&mut self) -> bool {
        let Some(payloads) = self.database.notices.take() else { return false };
        self.under_way.clone_from(&payloads);
        let query = self.database.notify(payloads);
        let work = async {
            let mut session = self.database.session().await?;
            query.execute(&mut *session).await?;
            session.end().await
        };
        if let Err(error) = self.database.limited("could not notify other nodes", work).await {
            // They poll.
            tracing::debug!(error = %error, "other nodes could not be notified");
        }
        self.under_way.clear();
        true
    }
}

/// The runtime ends before all was told, as that of a program that enqueues some jobs and ends: the rest is told without it.
impl Drop for Telling {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut payloads = std::mem::take(&mut self.under_way);
        payloads.extend(self.database.notices.abandon());
        if !payloads.is_empty() {
            tell_without_a_runtime(&self.database, payloads);
        }
    }
}

/// On a thread, which is waited for, and with a connection of its own, because those of the pool end with their runtime.
fn tell_without_a_runtime(database: &Database, payloads: Vec<String>) {
    let (options, query) = (database.pool.connect_options(), database.notify(payloads));
    let tell = async move {
        let mut connection = connect_once(&options, LAST_WORDS).await.ok()?;
        query.execute(&mut connection).await.ok()?;
        connection.close().await.ok()
    };
    let work = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            tokio::select! {
                _ = tell => {}
                () = SystemClock.sleep(LAST_WORDS) => {}
            }
        });
    };
    if let Ok(thread) = std::thread::Builder::new().name("rexecutor-notices".to_owned()).spawn(work) {
        let _ = thread.join();
    }
}
