//! The one connection that writes, and the thread that owns it.
//!
//! # Invariants
//!
//! - A step that was begun is finished, whether or not its caller still waits.
//! - Calls that arrived while a transaction was in flight share the next one. None of them waits for a timer, and one
//!   that cannot be stored does not fail the others.

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
    enqueue,
    error::{self, OpenError, backend_error, stopped},
    fast_path::LongQueues,
    open::Durability,
    settle,
    work::{Begin, Work, wake},
};

/// Jobs or settlements of one caller, and where the answer goes.
#[derive(Debug)]
pub(super) struct Call<I, O> {
    pub(super) items: Vec<I>,
    pub(super) answer: oneshot::Sender<Result<Vec<O>>>,
}

/// What the thread is asked to do.
pub(super) enum Request {
    /// Stores jobs, together with those of other callers.
    Enqueue(Call<NewJob, Enqueued>),
    /// Stores outcomes, together with those of other callers; answers which were stored.
    Settle(Call<Settlement, bool>),
    /// Anything else, on its own.
    Step(Step),
}

type Step = Box<dyn for<'w> FnOnce(&'w mut Core) -> LocalBoxFuture<'w, ()> + Send>;

/// How surely a commit is on the disk when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    /// Something new: it must not be lost.
    Promise,
    /// Bookkeeping: if it is lost with the machine's power, a job runs again.
    Progress,
}

/// The way to the thread. When the last one is dropped, the thread finishes its work, closes the file and ends.
#[derive(Debug)]
pub(super) struct Writer {
    requests: mpsc::UnboundedSender<Request>,
    /// Answers once the file is closed.
    closed: oneshot::Receiver<()>,
}

impl Writer {
    /// Starts the thread, which opens the connection by calling `open`.
    pub(super) async fn start(
        open: impl AsyncFnOnce() -> Result<Core, OpenError> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (requests, inbox) = mpsc::unbounded_channel();
        let (opened, is_open) = oneshot::channel();
        let (finished, closed) = oneshot::channel();
        let failed = |source: std::io::Error| OpenError::Failed { path: "a new thread".into(), source: source.into() };
        // The runtime belongs to the thread: the caller's may have no timer, or end before the backend does.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let work = move || {
            runtime.block_on(async {
                match open().await {
                    Ok(core) => {
                        // An error means that nobody waits any more; then the inbox has ended, too.
                        let _ = opened.send(Ok(()));
                        core.serve(inbox).await;
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
            let _ = finished.send(());
        };
        std::thread::Builder::new().name("rexecutor-sqlite".to_owned()).spawn(work).map_err(failed)?;
        is_open.await.unwrap_or_else(|_| Err(failed(std::io::Error::other("the thread ended"))))?;
        Ok(Self { requests, closed })
    }

    pub(super) fn requests(&self) -> &mpsc::UnboundedSender<Request> {
        &self.requests
    }

    pub(super) async fn close(self) {
        drop(self.requests);
        // An error means that the thread is gone, which is as good.
        let _ = self.closed.await;
    }

    /// Runs a step in a transaction of its own.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        commit: Commit,
        step: impl AsyncFnOnce(&mut Work<'_>) -> Result<T, sqlx::Error> + Send + 'static,
    ) -> Result<T> {
        let step = async |work: &mut Work<'_>| {
            work.open().await?;
            step(work).await
        };
        self.run(async move |core: &mut Core| core.transact(commit, step).await).await
    }

    /// Runs a step outside a transaction.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        step: impl AsyncFnOnce(&mut Core) -> Result<T, sqlx::Error> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let step: Step = Box::new(move |core| {
            Box::pin(async move {
                // An error means that nobody waits any more.
                let _ = answer.send(step(core).await.map_err(backend_error));
            })
        });
        self.requests.send(Request::Step(step)).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Hands in items that may share a transaction with those of other callers.
    pub(super) async fn share<I, O>(&self, items: Vec<I>, request: fn(Call<I, O>) -> Request) -> Result<Vec<O>> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(Call { items, answer })).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
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
            file,
            log: Log::default(),
        }
    }

    async fn serve(mut self, inbox: mpsc::UnboundedReceiver<Request>) {
        match self.file.take() {
            None => self.work(inbox).await,
            Some(file) => {
                let asked = self.log.watch();
                futures::future::join(self.work(inbox), checkpoint::run(file, asked)).await;
            }
        }
        self.close().await;
    }

    /// Does what it is asked, until nobody is left to ask.
    async fn work(&mut self, mut inbox: mpsc::UnboundedReceiver<Request>) {
        let mut round = Vec::new();
        let mut callers = 0;
        while inbox.recv_many(&mut round, ROUND).await > 0 {
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
            self.share(Commit::Promise, enqueues, async |work, jobs| enqueue::store(work, jobs).await).await;
            self.share(Commit::Progress, settles, async |work, ends| settle::store(work, ends).await).await;
            for step in steps {
                step(self).await;
            }
        }
        self.log = Log::default();
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
        store: impl AsyncFn(&mut Work<'_>, &[I]) -> Result<Vec<O>, sqlx::Error>,
    ) {
        let (mut items, mut answers) = (Vec::new(), Vec::new());
        for Call { items: more, answer } in calls {
            answers.push((more.len(), answer));
            items.extend(more);
        }
        if answers.is_empty() {
            return;
        }
        match self.transact(commit, async |work| store(work, &items).await).await {
            Ok(results) => {
                // Small commits that wait for the disk would wait longer for one that is busy with two things.
                if commit == Commit::Progress || items.len() >= checkpoint::MANY {
                    self.log.wrote(items.len());
                }
                let mut results = results.into_iter();
                for (count, answer) in answers {
                    let _ = answer.send(Ok(results.by_ref().take(count).collect()));
                }
            }
            Err(error) if answers.len() > 1 && !error::is_busy(&error) => {
                self.each_alone(commit, &items, answers, store).await;
            }
            Err(error) => fail(answers.into_iter().map(|(_, answer)| answer), error),
        }
    }

    async fn each_alone<I, O>(
        &mut self,
        commit: Commit,
        mut items: &[I],
        answers: Vec<(usize, oneshot::Sender<Result<Vec<O>>>)>,
        store: impl AsyncFn(&mut Work<'_>, &[I]) -> Result<Vec<O>, sqlx::Error>,
    ) {
        for (count, answer) in answers {
            let (own, rest) = items.split_at(count);
            items = rest;
            let result = self.transact(commit, async |work| store(work, own).await).await;
            let _ = answer.send(result.map_err(backend_error));
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
