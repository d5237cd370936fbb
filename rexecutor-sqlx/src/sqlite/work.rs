//! One transaction and its surroundings.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{EventRow, JobRow, Listeners, breaker::BreakerNotice, in_micros},
    clock::Clock,
    job::{ExecutorName, JobId},
};
use sqlx::{Row, SqliteConnection};

use super::{
    events, queries,
    script::{Answer, Script},
};

/// What a step works with, and what it leaves to be done after the commit.
#[derive(Debug)]
pub(super) struct Work<'c> {
    /// The connection. It is inside a transaction that holds the write lock, once this is [open](Self::open).
    pub(super) conn: &'c mut SqliteConnection,
    /// The present: it does not run backwards from one transaction of this process to the next.
    pub(super) now: DateTime<Utc>,
    /// Whose jobs may have become due.
    pub(super) due: BTreeSet<ExecutorName>,
    /// The jobs that are to stop.
    pub(super) cancelled: Vec<JobId>,
    /// The jobs that have ended and that somebody waits for.
    pub(super) ended: Vec<JobId>,
    /// What has become of circuit breakers.
    pub(super) breakers: Vec<BreakerNotice>,
    /// Whether anybody listens for events: for sure, once this is [open](Self::open), and else as far as the process knows.
    pub(super) is_heard: bool,
    /// Whether it is for sure.
    pub(super) has_looked: bool,
    /// What is to be told of when it is committed, if anybody listens.
    events: Vec<EventRow>,
    clock: &'c dyn Clock,
    transaction: Transaction,
    /// Until when it waits for other processes' locks.
    deadline: Duration,
    /// Whether there is something to undo before it begins.
    has_failed: bool,
    /// Whether its last statements do not commit it, because others follow.
    stays_open: bool,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    /// These statements begin it, together with the first script: a hand-over less.
    Ahead(Begin),
    Open,
    Committed,
    /// Somebody else's: it is open, and theirs to commit.
    Theirs,
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// Its commit waits for the disk if that of the last did.
    AsBefore,
    Synced,
    Unsynced,
}

impl Begin {
    /// The statements, and how many they are.
    fn statements(self) -> (&'static str, usize) {
        match self {
            Self::AsBefore => ("BEGIN IMMEDIATE;\n", 1),
            Self::Synced => ("PRAGMA synchronous = FULL;\nBEGIN IMMEDIATE;\n", 2),
            Self::Unsynced => ("PRAGMA synchronous = NORMAL;\nBEGIN IMMEDIATE;\n", 2),
        }
    }
}

impl<'c> Work<'c> {
    /// For a transaction that somebody else has begun.
    pub(super) fn inside(conn: &'c mut SqliteConnection, clock: &'c dyn Clock, is_heard: bool) -> Self {
        Self { is_heard, ..Self::new(conn, clock, Transaction::Theirs) }
    }

    /// For a transaction that begins with the first statements.
    pub(super) fn ahead(
        conn: &'c mut SqliteConnection,
        clock: &'c dyn Clock,
        begin: Begin,
        deadline: Duration,
        is_heard: bool,
    ) -> Self {
        Self { deadline, is_heard, ..Self::new(conn, clock, Transaction::Ahead(begin)) }
    }

    fn new(conn: &'c mut SqliteConnection, clock: &'c dyn Clock, transaction: Transaction) -> Self {
        Self {
            conn,
            now: in_micros(clock.now()),
            due: BTreeSet::new(),
            cancelled: Vec::new(),
            ended: Vec::new(),
            breakers: Vec::new(),
            is_heard: false,
            has_looked: false,
            events: Vec::new(),
            clock,
            transaction,
            deadline: Duration::ZERO,
            has_failed: false,
            stays_open: false,
        }
    }

    /// Begins the transaction, if that has not happened yet.
    pub(super) async fn open(&mut self) -> Result<(), sqlx::Error> {
        if let Transaction::Ahead(_) = self.transaction {
            self.run(Script::default()).await?;
            self.look_at_the_clock();
        }
        Ok(())
    }

    /// Takes the time anew, which has gone on while another process held the lock.
    pub(super) fn look_at_the_clock(&mut self) {
        if self.transaction != Transaction::Theirs {
            self.now = in_micros(self.clock.now());
        }
    }

    /// Runs statements in the transaction, and begins it with them if need be.
    pub(super) async fn run(&mut self, script: Script) -> Result<Vec<Answer>, sqlx::Error> {
        let Transaction::Ahead(begin) = self.transaction else { return script.run(self.conn).await };
        let (statements, count) = begin.statements();
        let look = format!("{statements}{};\n", queries::find_listener());
        let mut answers = self.look(script.after(&look)).await?;
        self.transaction = Transaction::Open;
        // Nobody else can begin to listen before it is committed.
        let is_heard =
            answers.get(count).and_then(|answer| answer.rows.first()).map(|row| row.try_get(0)).transpose()?;
        (self.is_heard, self.has_looked) = (is_heard == Some(true), true);
        answers.drain(..(count + 1).min(answers.len()));
        Ok(answers)
    }

    /// Runs statements in a transaction that they begin and end.
    async fn run_whole(&mut self, script: Script, begin: Begin) -> Result<Vec<Answer>, sqlx::Error> {
        let (statements, count) = begin.statements();
        let mut answers = self.look(script.after(statements).then("COMMIT")).await?;
        self.transaction = Transaction::Committed;
        answers.drain(..count.min(answers.len()));
        answers.pop();
        Ok(answers)
    }

    /// Runs statements that only read, in the transaction if it has begun; they do not begin it.
    pub(super) async fn look(&mut self, script: Script) -> Result<Vec<Answer>, sqlx::Error> {
        let undo = if std::mem::take(&mut self.has_failed) { "ROLLBACK;\n" } else { "" };
        let answers = script.run_patiently(self.conn, undo, self.deadline).await;
        // It is to be undone yet if the undoing has failed, which it does only with the connection.
        answers
    }

    /// Runs the last statements of the transaction, and commits it with them, unless somebody listens for events: they are told of
    /// what these have done before it is committed.
    pub(super) async fn finish(&mut self, script: Script) -> Result<Vec<Answer>, sqlx::Error> {
        if self.is_heard {
            return self.run(script).await;
        }
        self.finish_untold(script).await
    }

    /// The same with statements that nobody is told of, or who listens finds out by itself.
    pub(super) async fn finish_untold(&mut self, script: Script) -> Result<Vec<Answer>, sqlx::Error> {
        if self.transaction == Transaction::Theirs || self.stays_open || !self.events.is_empty() {
            return self.run(script).await;
        }
        if let Transaction::Ahead(begin) = self.transaction {
            return self.run_whole(script, begin).await;
        }
        let mut answers = self.run(script.then("COMMIT")).await?;
        self.transaction = Transaction::Committed;
        answers.pop();
        Ok(answers)
    }

    /// What [finishes](Self::finish) a step does not commit: other statements follow.
    pub(super) fn stay_open(&mut self) {
        self.stays_open = true;
    }

    /// Begins another transaction with the next statements, after one that is committed.
    pub(super) fn again(&mut self) {
        if self.transaction == Transaction::Committed {
            self.transaction = Transaction::Ahead(Begin::AsBefore);
        }
    }

    /// Undoes all of it, after a statement that has failed [as it was meant to](super::error::is_unexpected), and begins
    /// anew with the next statements. Only for a transaction that is ours.
    pub(super) fn restart(&mut self) {
        self.has_failed = true;
        self.events.clear();
        if self.transaction == Transaction::Open {
            self.transaction = Transaction::Ahead(Begin::AsBefore);
        }
    }

    /// Commits what is not committed yet.
    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        if self.transaction == Transaction::Open {
            let script = self.take_events()?;
            self.run(script.then("COMMIT")).await?;
            self.transaction = Transaction::Committed;
        }
        Ok(())
    }

    /// Tells those who listen what the last transitions of these rows were.
    pub(super) async fn tell(&mut self, jobs: &[JobRow]) -> Result<(), sqlx::Error> {
        if !self.is_heard {
            return Ok(());
        }
        let told = jobs.iter().filter_map(|job| Some(EventRow::of(job, job.happened.kind()?, self.now)));
        self.events.extend(told);
        if self.transaction == Transaction::Theirs { self.tell_now().await } else { Ok(()) }
    }

    /// Tells them of an event.
    pub(super) fn tell_of(&mut self, event: impl FnOnce() -> EventRow) {
        if self.is_heard {
            self.events.push(event());
        }
    }

    /// Stores what is to be told, while the rows are there that it is about.
    pub(super) async fn tell_now(&mut self) -> Result<(), sqlx::Error> {
        if !self.events.is_empty() {
            let script = self.take_events()?;
            self.run(script).await?;
        }
        Ok(())
    }

    fn take_events(&mut self) -> Result<Script, sqlx::Error> {
        match std::mem::take(&mut self.events) {
            events if events.is_empty() => Ok(Script::default()),
            events => events::store(&events),
        }
    }

    /// Undoes what is not committed.
    pub(super) async fn roll_back(&mut self) {
        // The error that leads here says more than one of this. It is one if no transaction has begun, or if SQLite has
        // undone it already.
        let _ = Script::default().then("ROLLBACK").run(self.conn).await;
    }

    /// Whether anything was begun.
    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.transaction, Transaction::Ahead(_))
    }
}

/// Tells the nodes of this process what a committed transaction has changed.
pub(super) fn wake(listeners: &Listeners, work: &Work<'_>) {
    work.breakers.iter().for_each(BreakerNotice::log);
    listeners.each(|wakeup| {
        work.due.iter().for_each(|executor| wakeup.wake(executor));
        work.cancelled.iter().for_each(|job| wakeup.cancel(*job));
        wakeup.end(&work.ended);
        wakeup.happened();
    });
}
