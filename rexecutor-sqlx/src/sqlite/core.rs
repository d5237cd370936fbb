//! What the writer's thread owns, and what it does when it is asked.
//!
//! # Invariants
//!
//! - A step that was begun is finished, whether or not its caller still waits.
//! - Calls that arrived while a transaction was in flight share the next one. None of them waits for a timer, and one
//!   that cannot be stored does not fail the others.
//! - What keeps a node a member waits for one transaction at most, however much is to be done.

use std::{sync::Arc, time::Duration};

use futures::future::LocalBoxFuture;
use rexecutor::{
    backend::{Enqueued, Listeners, NewJob, Result, Settlement},
    clock::Clock,
};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

use super::{
    checkpoint::{self, Log},
    durability::Durability,
    error::{self, backend_error},
    long_queues::LongQueues,
    outcomes, store,
    work::{Begin, Work, wake},
};
use crate::common::Controlled;

/// Jobs or settlements of one caller, and where the answer goes.
#[derive(Debug)]
pub(super) struct Call<I, O> {
    pub(super) items: I,
    pub(super) answer: oneshot::Sender<Result<Vec<O>>>,
}

/// What the thread is asked to do.
pub(super) enum Request {
    /// Stores jobs, together with those of other callers.
    Enqueue(Call<Vec<NewJob>, Enqueued>),
    /// Stores outcomes, together with those of other callers; answers which were stored.
    Settle(Call<Arc<[Settlement]>, bool>),
    /// Anything else, on its own.
    Step(Step),
}

pub(super) type Step = Box<dyn for<'w> FnOnce(&'w mut Core) -> LocalBoxFuture<'w, ()> + Send>;

/// How surely a commit is on the disk when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    /// Something new: it must not be lost.
    Promise,
    /// Bookkeeping: if it is lost with the machine's power, a job runs again.
    Progress,
}

/// The most requests that are taken on at once.
const ROUND: usize = 1000;

/// What the thread owns.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) conn: SqliteConnection,
    pub(super) clock: Arc<dyn Clock>,
    listeners: Arc<Listeners>,
    durability: Durability,
    busy_timeout: Duration,
    /// Whether commits wait for the disk at present; not known before the first.
    syncs: Option<bool>,
    /// Whether transactions wait for other processes' locks at present.
    waits: bool,
    /// Where claims go on at once.
    pub(super) long: LongQueues,
    /// About which executors anything is stored.
    pub(super) controls: Controlled,
    /// The file, if there is one.
    file: Option<SqliteConnectOptions>,
    pub(super) log: Log,
}

impl Core {
    /// For a connection that waits for locks.
    pub(super) fn new(
        conn: SqliteConnection,
        file: Option<SqliteConnectOptions>,
        clock: Arc<dyn Clock>,
        listeners: Arc<Listeners>,
        durability: Durability,
        busy_timeout: Duration,
    ) -> Self {
        Self {
            conn,
            clock,
            listeners,
            durability,
            busy_timeout,
            syncs: None,
            waits: true,
            long: LongQueues::default(),
            controls: Controlled::default(),
            file,
            log: Log::default(),
        }
    }

    /// Serves until nobody is left to ask, and closes the file.
    pub(super) async fn serve(
        mut self,
        inbox: mpsc::UnboundedReceiver<Request>,
        urgent: mpsc::UnboundedReceiver<Step>,
    ) {
        match self.file.take() {
            None => self.work(inbox, urgent).await,
            Some(file) => {
                let asked = self.log.watch();
                futures::future::join(self.work(inbox, urgent), checkpoint::run(file, asked)).await;
            }
        }
        self.close().await;
    }

    /// Does what it is asked, until nobody is left to ask.
    async fn work(&mut self, mut inbox: mpsc::UnboundedReceiver<Request>, mut urgent: mpsc::UnboundedReceiver<Step>) {
        let mut round = Vec::new();
        let mut callers = 0;
        loop {
            tokio::select! {
                biased;
                Some(step) = urgent.recv() => {
                    self.wait_for_locks(true).await;
                    step(self).await;
                    self.first(&mut urgent).await;
                    continue;
                }
                count = inbox.recv_many(&mut round, ROUND) => if count == 0 {
                    break;
                }
            }
            group(&mut inbox, &mut round, callers);
            self.wait_for_locks(true).await;
            let (mut enqueues, mut settles, mut steps) = (Vec::new(), Vec::new(), Vec::new());
            for request in round.drain(..) {
                match request {
                    Request::Enqueue(call) => enqueues.push(call),
                    Request::Settle(call) => settles.push(call),
                    Request::Step(step) => steps.push(step),
                }
            }
            callers = enqueues.len();
            let jobs = |jobs: &Vec<NewJob>| jobs.len();
            self.share(Commit::Promise, enqueues, jobs, async |work, calls| {
                let jobs: Vec<&NewJob> = calls.iter().copied().flatten().collect();
                store::store(work, &jobs).await
            })
            .await;
            self.first(&mut urgent).await;
            let ends = |ends: &Arc<[Settlement]>| ends.len();
            self.share(Commit::Progress, settles, ends, async |work, calls| {
                let ends: Vec<&Settlement> = calls.iter().flat_map(|ends| ends.iter()).collect();
                outcomes::store(work, &ends).await
            })
            .await;
            for step in steps {
                self.first(&mut urgent).await;
                step(self).await;
            }
        }
        self.log = Log::default();
    }

    /// Does what must not wait for the rest of a round, however much that is.
    async fn first(&mut self, urgent: &mut mpsc::UnboundedReceiver<Step>) {
        while let Ok(step) = urgent.try_recv() {
            step(self).await;
        }
    }

    async fn close(self) {
        if let Err(error) = self.conn.close().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the SQLite file was not closed properly");
        }
    }

    /// Runs a step in a transaction, and wakes the listeners once it is committed.
    pub(super) async fn transact<T>(
        &mut self,
        commit: Commit,
        step: impl AsyncFnOnce(&mut Work<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let result = self.attempt(commit, step).await;
        if result.as_ref().is_err_and(error::is_busy) {
            self.wait_for_locks(false).await;
        }
        result
    }

    async fn attempt<T>(
        &mut self,
        commit: Commit,
        step: impl AsyncFnOnce(&mut Work<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let syncs = self.syncs_for(commit);
        let begin = match syncs {
            _ if self.syncs == Some(syncs) => Begin::AsBefore,
            true => Begin::Synced,
            false => Begin::Unsynced,
        };
        let mut work = Work::ahead(&mut self.conn, &*self.clock, begin);
        let result = match step(&mut work).await {
            Ok(answer) => work.commit().await.map(|()| answer),
            Err(error) => Err(error),
        };
        if result.is_err() {
            work.roll_back().await;
            self.syncs = None;
        } else if work.has_begun() {
            wake(&self.listeners, &work.due, work.cancelled);
            self.syncs = Some(syncs);
        }
        result
    }

    /// Sets whether to wait when another process holds the lock.
    ///
    /// Once one transaction has waited in vain, the others of its round have waited as long and do not begin anew: a
    /// call's time does not grow with the number of calls before it.
    async fn wait_for_locks(&mut self, waits: bool) {
        if self.waits != waits {
            let timeout = if waits { self.busy_timeout.as_millis() } else { 0 };
            let pragma = AssertSqlSafe(format!("PRAGMA busy_timeout = {timeout}"));
            // It cannot fail but with the connection, which the next statement tells.
            let _ = sqlx::query(pragma).persistent(false).execute(&mut self.conn).await;
            self.waits = waits;
        }
    }

    /// A sync covers everything that was written before it, so what is promised late also secures what was not.
    fn syncs_for(&self, commit: Commit) -> bool {
        match self.durability {
            Durability::Process => false,
            Durability::Enqueued => commit == Commit::Promise,
            Durability::Everything => true,
        }
    }

    /// Stores the items of all calls in one transaction, or each call's in its own if that is refused.
    async fn share<I, O>(
        &mut self,
        commit: Commit,
        calls: Vec<Call<I, O>>,
        count: impl Fn(&I) -> usize,
        store: impl AsyncFn(&mut Work<'_>, &[&I]) -> Result<Vec<O>, sqlx::Error>,
    ) {
        if calls.is_empty() {
            return;
        }
        let all: Vec<&I> = calls.iter().map(|call| &call.items).collect();
        let total = all.iter().map(|items| count(items)).sum();
        match self.transact(commit, async |work| store(work, &all).await).await {
            Ok(results) => {
                // Small commits that wait for the disk would wait longer for one that is busy with two things.
                if commit == Commit::Progress || total >= checkpoint::MANY {
                    self.log.wrote(total);
                }
                let mut results = results.into_iter();
                for Call { items, answer } in calls {
                    let _ = answer.send(Ok(results.by_ref().take(count(&items)).collect()));
                }
            }
            Err(error) if calls.len() > 1 && !error::is_busy(&error) => {
                for Call { items, answer } in calls {
                    let result = self.transact(commit, async |work| store(work, &[&items]).await).await;
                    let _ = answer.send(result.map_err(backend_error));
                }
            }
            Err(error) => fail(calls.into_iter().map(|call| call.answer), error),
        }
    }
}

/// How often in a row the other threads are let through though nothing comes of it: some microseconds.
const MAX_YIELDS: usize = 20;

/// Lets the callers of the last round come back, if they are on their way.
///
/// Those that enqueue one job after the other all wake at once. Without this the first of them would have a transaction
/// for itself, for whose sync all others wait.
fn group(inbox: &mut mpsc::UnboundedReceiver<Request>, round: &mut Vec<Request>, callers: usize) {
    let mut in_vain = 0;
    while round.len() < callers && in_vain < MAX_YIELDS {
        std::thread::yield_now();
        let before = round.len();
        while round.len() < ROUND
            && let Ok(request) = inbox.try_recv()
        {
            round.push(request);
        }
        in_vain = if round.len() == before { in_vain + 1 } else { 0 };
    }
}

/// Answers every caller that the shared transaction failed.
fn fail<O>(answers: impl Iterator<Item = oneshot::Sender<Result<Vec<O>>>>, error: sqlx::Error) {
    let error = Arc::new(error);
    for answer in answers {
        let _ = answer.send(Err(error::shared(&error)));
    }
}
