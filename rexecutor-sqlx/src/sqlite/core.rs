//! What the writer's thread owns, and what it does when it is asked.
//!
//! # Invariants
//!
//! - A step that was begun is finished, whether or not its caller still waits.
//! - Calls that arrived while a transaction was in flight share the next one. None of them waits for a timer, and one
//!   that cannot be stored does not fail the others.
//! - What keeps a node a member waits for one transaction at most, however much is to be done.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rexecutor::{
    backend::{Listeners, NewJob, Result, Settlement},
    clock::{Clock, SystemClock},
    job::NodeId,
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::oneshot;

use super::{
    checkpoint::{self, Log},
    durability::Durability,
    error::{self, backend_error, stopped},
    long_queues::LongQueues,
    outcomes,
    place::Place,
    readers::Readers,
    request::{Arrival, Call, Inbox, Request, Round, Step},
    store,
    work::{Begin, Work, wake},
};
use crate::common::Controlled;

/// How surely a commit is on the disk when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    /// Something new: it must not be lost.
    Promise,
    /// Bookkeeping: if it is lost with the machine's power, a job runs again.
    Progress,
}

/// What the thread owns.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) conn: SqliteConnection,
    pub(super) clock: Arc<dyn Clock>,
    listeners: Arc<Listeners>,
    durability: Durability,
    /// How long a call waits while another process holds the lock.
    busy_timeout: Duration,
    /// Until when it is waited for at present, in the time that nobody can set.
    deadline: Duration,
    /// Whether that was in vain in this round.
    is_locked: bool,
    /// Whether commits wait for the disk at present; not known before the first.
    syncs: Option<bool>,
    /// Where claims go on at once.
    pub(super) long: LongQueues,
    /// About which executors anything is stored.
    pub(super) controls: Controlled,
    /// Whether anybody listens for events, as far as this process knows: every transaction of several hand-overs looks anew.
    pub(super) heard: Arc<AtomicBool>,
    /// The nodes of this process.
    pub(super) nodes: BTreeSet<NodeId>,
    /// The file, if there is one.
    file: Option<OpenFile>,
    pub(super) log: Log,
}

/// A file that is open.
#[derive(Debug, Clone)]
pub(super) struct OpenFile {
    pub(super) options: SqliteConnectOptions,
    pub(super) place: Place,
    /// They are closed with it.
    pub(super) readers: Arc<Readers>,
}

impl Core {
    /// For a connection that does not wait for locks for long by itself.
    pub(super) fn new(
        conn: SqliteConnection,
        file: Option<OpenFile>,
        clock: Arc<dyn Clock>,
        listeners: Arc<Listeners>,
        heard: Arc<AtomicBool>,
        durability: Durability,
        busy_timeout: Duration,
    ) -> Self {
        Self {
            conn,
            clock,
            listeners,
            durability,
            busy_timeout,
            deadline: Duration::ZERO,
            is_locked: false,
            syncs: None,
            long: LongQueues::default(),
            controls: Controlled::default(),
            heard,
            nodes: BTreeSet::new(),
            file,
            log: Log::default(),
        }
    }

    /// Serves, beginning with these requests, until nobody is left to ask, or until it is to rest: then there is somebody who
    /// waits for the file to be closed. It is closed in any case.
    pub(super) async fn serve(mut self, inbox: &mut Inbox, first: Vec<Arrival>) -> Option<Vec<oneshot::Sender<()>>> {
        let rests = match &self.file {
            None => self.work(inbox, first).await,
            Some(file) => {
                let options = file.options.clone();
                let checkpoints = checkpoint::run(options, self.log.watch());
                futures::future::join(self.work(inbox, first), checkpoints).await.0
            }
        };
        self.close().await;
        rests
    }

    /// Does what it is asked.
    async fn work(&mut self, inbox: &mut Inbox, mut arrivals: Vec<Arrival>) -> Option<Vec<oneshot::Sender<()>>> {
        let mut callers = 0;
        let rests = loop {
            match arrivals.is_empty() {
                true if !inbox.wait(&mut arrivals).await => break None,
                true => {}
                // Those that wait for a lock, and whoever has come meanwhile.
                false => inbox.receive(&mut arrivals),
            }
            group(inbox, &mut arrivals, callers);
            callers = 0;
            if let Some(file) = &self.file
                && file.place.check().is_err()
            {
                let urgent = std::iter::from_fn(|| inbox.urgent()).map(|step| step.map(Request::Step));
                for arrival in urgent.chain(arrivals.drain(..)) {
                    arrival.request.refuse(|| file.place.check().err().unwrap_or_else(stopped)).await;
                }
                continue;
            }
            let mut round = Round::of(arrivals.drain(..));
            callers = round.enqueues.len();
            let rests = std::mem::take(&mut round.rests);
            self.take_round(round, inbox, &mut arrivals).await;
            if !rests.is_empty() && arrivals.is_empty() && self.may_rest() && inbox.is_empty() {
                break Some(rests);
            }
        };
        self.log = Log::default();
        rests
    }

    fn may_rest(&self) -> bool {
        self.file.is_some() && self.nodes.is_empty()
    }

    /// Does all of it. What could not be done because another process holds the lock, and whose time is not over, is `left`:
    /// nobody waits longer because others have waited before.
    async fn take_round(&mut self, round: Round, inbox: &mut Inbox, left: &mut Vec<Arrival>) {
        self.is_locked = false;
        self.first(inbox, left).await;
        self.deadline = round.first_deadline(self.busy_timeout);
        let Round { enqueues, settles, steps, .. } = round;
        let jobs = |jobs: &Vec<NewJob>| jobs.len();
        let waiting = self.share(Commit::Promise, enqueues, jobs, async |work, calls| {
            let jobs: Vec<&NewJob> = calls.iter().copied().flatten().collect();
            store::store(work, &jobs).await
        });
        left.extend(waiting.await.into_iter().map(|arrival| arrival.map(Request::Enqueue)));
        self.first(inbox, left).await;
        let ends = |ends: &Arc<[Settlement]>| ends.len();
        let waiting = self.share(Commit::Progress, settles, ends, async |work, calls| {
            let ends: Vec<&Settlement> = calls.iter().flat_map(|ends| ends.iter()).collect();
            outcomes::store(work, &ends).await
        });
        left.extend(waiting.await.into_iter().map(|arrival| arrival.map(Request::Settle)));
        for step in steps {
            self.first(inbox, left).await;
            self.take_step(step, left).await;
        }
        self.first(inbox, left).await;
    }

    /// Does what must not wait for the rest of a round, however much that is.
    async fn first(&mut self, inbox: &mut Inbox, left: &mut Vec<Arrival>) {
        let deadline = self.deadline;
        while let Some(step) = inbox.urgent() {
            self.take_step(step, left).await;
        }
        self.deadline = deadline;
    }

    async fn take_step(&mut self, Arrival { at, request }: Arrival<Step>, left: &mut Vec<Arrival>) {
        self.deadline = at.saturating_add(self.busy_timeout);
        match self.is_locked && SystemClock.elapsed() < self.deadline {
            true => left.push(Arrival { at, request: Request::Step(request) }),
            false => request(Ok(self)).await,
        }
    }

    async fn close(self) {
        if let Some(file) = &self.file {
            file.readers.close().await;
        }
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
        self.is_locked |= result.as_ref().is_err_and(error::is_busy);
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
        let is_heard = self.heard.load(Ordering::Relaxed);
        let mut work = Work::ahead(&mut self.conn, &*self.clock, begin, self.deadline, is_heard);
        let result = match step(&mut work).await {
            Ok(answer) => work.commit().await.map(|()| answer),
            Err(error) => Err(error),
        };
        if work.has_looked {
            self.heard.store(work.is_heard, Ordering::Relaxed);
        }
        if result.is_err() {
            work.roll_back().await;
            self.syncs = None;
        } else if work.has_begun() {
            wake(&self.listeners, &work);
            self.syncs = Some(syncs);
        }
        result
    }

    /// A sync covers everything that was written before it, so what is promised late also secures what was not.
    fn syncs_for(&self, commit: Commit) -> bool {
        match self.durability {
            Durability::Process => false,
            Durability::Enqueued => commit == Commit::Promise,
            Durability::Everything => true,
        }
    }

    /// Stores the items of all calls in one transaction, or each call's in its own if that is refused. Returns those that
    /// wait for another process's lock.
    async fn share<I, O>(
        &mut self,
        commit: Commit,
        calls: Vec<Arrival<Call<I, O>>>,
        count: impl Fn(&I) -> usize,
        store: impl AsyncFn(&mut Work<'_>, &[&I]) -> Result<Vec<O>, sqlx::Error>,
    ) -> Vec<Arrival<Call<I, O>>> {
        if calls.is_empty() {
            return Vec::new();
        }
        let all: Vec<&I> = calls.iter().map(|call| &call.request.items).collect();
        let total = all.iter().map(|items| count(items)).sum();
        match self.transact(commit, async |work| store(work, &all).await).await {
            Ok(results) => {
                // Small commits that wait for the disk would wait longer for one that is busy with two things.
                if commit == Commit::Progress || total >= checkpoint::MANY {
                    self.log.wrote(total);
                }
                let mut results = results.into_iter();
                for Call { items, answer } in calls.into_iter().map(|call| call.request) {
                    let _ = answer.send(Ok(results.by_ref().take(count(&items)).collect()));
                }
                Vec::new()
            }
            Err(error) if error::is_busy(&error) => {
                let now = SystemClock.elapsed();
                let is_over = |call: &Arrival<_>| now.saturating_sub(call.at) >= self.busy_timeout;
                let (over, waiting): (Vec<_>, Vec<_>) = calls.into_iter().partition(is_over);
                fail(over, error);
                waiting
            }
            Err(error) if calls.len() == 1 => {
                fail(calls, error);
                Vec::new()
            }
            Err(_) => {
                for Call { items, answer } in calls.into_iter().map(|call| call.request) {
                    let result = self.transact(commit, async |work| store(work, &[&items]).await).await;
                    let _ = answer.send(result.map_err(backend_error));
                }
                Vec::new()
            }
        }
    }
}

/// How often in a row the other threads are let through though nothing comes of it: some microseconds.
const MAX_YIELDS: usize = 20;

/// Lets the callers of the last round come back, if they are on their way.
///
/// Those that enqueue one job after the other all wake at once. Without this the first of them would have a transaction
/// for itself, for whose sync all others wait.
fn group(inbox: &mut Inbox, round: &mut Vec<Arrival>, callers: usize) {
    let mut in_vain = 0;
    while round.len() < callers && in_vain < MAX_YIELDS {
        std::thread::yield_now();
        let before = round.len();
        inbox.receive(round);
        in_vain = if round.len() == before { in_vain + 1 } else { 0 };
    }
}

/// Answers every caller that the shared transaction failed.
fn fail<I, O>(calls: Vec<Arrival<Call<I, O>>>, error: sqlx::Error) {
    let error = Arc::new(error);
    for call in calls {
        let _ = call.request.answer.send(Err(error::shared(&error)));
    }
}
