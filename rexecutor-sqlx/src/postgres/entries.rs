//! Schedule entries.
//!
//! # Invariant
//!
//! - A row is locked before anything is decided about its entry; an entry that is new has a row before that. Many rows are made
//!   and locked in the order of their names: two nodes that declare the same entries must not wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{DueEntries, Entries, Result, Scope, lifecycle},
    job::{ExecutorName, JobId, NodeId},
    schedule::{EntryAnswer, EntryStep, REPLACED, ScheduleEntry, StoredEntry, Surroundings},
};
use sqlx::{PgConnection, Row};
use tokio::sync::SemaphorePermit;

use super::{
    backend::{Database, PgBackend},
    row,
    session::Progress,
    write::Locked,
};

impl Entries for PgBackend {
    fn due(&self) -> BoxFuture<'_, Result<DueEntries>> {
        Box::pin(self.0.limited("could not look for schedule entries that are due", self.0.due_entries()))
    }

    fn step(&self, steps: Vec<EntryStep>) -> BoxFuture<'_, Result<Vec<EntryAnswer>>> {
        Box::pin(async move {
            let progress = Progress::default();
            let work = self.0.step_entries(&steps, &progress);
            let (answers, woken) = self.0.limited_by(&progress, "could not change a schedule entry", work).await?;
            self.0.tell_ends(&woken.ended);
            for job in woken.cancelled {
                self.0.listeners.each(|wakeup| wakeup.cancel(job));
                self.0.tell_all(BTreeSet::new(), Some(job)).await;
            }
            match woken.is_news {
                true => self.0.wake_and_tell(woken.executors).await,
                false => self.0.wake(woken.executors),
            }
            Ok(answers)
        })
    }

    fn list<'a>(&'a self, name: Option<&'a str>) -> BoxFuture<'a, Result<Vec<ScheduleEntry>>> {
        Box::pin(self.0.limited("could not read schedule entries", self.0.list_entries(name)))
    }
}

/// Whom steps wake.
#[derive(Default)]
struct Woken {
    executors: BTreeSet<ExecutorName>,
    cancelled: Vec<JobId>,
    ended: Vec<JobId>,
    is_news: bool,
}

/// What is to be written of entries.
#[derive(Default)]
struct Changes {
    names: Vec<String>,
    due_at: Vec<Option<DateTime<Utc>>>,
    last_at: Vec<DateTime<Utc>>,
    entries: Vec<String>,
    deleted: Vec<String>,
}

impl Database {
    async fn due_entries(&self) -> sqlx::Result<DueEntries> {
        let mut session = self.session().await?;
        let rows = self.query(&self.queries.find_due_entries).bind(self.now()).fetch_all(&mut *session).await?;
        session.end().await?;
        let last = rows.last().ok_or(sqlx::Error::RowNotFound)?;
        let mut due = DueEntries::new(row::instant(last, "now")?, Vec::new(), None);
        for stored in &rows {
            due.names.extend(stored.try_get::<Option<String>, _>("name")?);
            due.next_at = row::optional_instant(stored, "due_at")?.or(due.next_at);
        }
        Ok(due)
    }

    async fn list_entries(&self, name: Option<&str>) -> sqlx::Result<Vec<ScheduleEntry>> {
        let mut transaction = self.begin().await?;
        let query = self.query(&self.queries.list_entries).bind(name.map(ToOwned::to_owned));
        let rows = query.fetch_all(&mut *transaction).await?;
        let (now, members) = (self.read_clock(&mut transaction).await?, self.members(&mut transaction).await?);
        transaction.commit().await?;
        let mut entries = Vec::with_capacity(rows.len());
        for stored in &rows {
            let name: String = stored.try_get("name")?;
            match StoredEntry::decode(stored.try_get("entry")?) {
                Ok(entry) => entries.push(entry.shown(name, &members, now)),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(schedule = name, error, "schedule entry left out because it cannot be read");
                }
            }
        }
        Ok(entries)
    }

    async fn step_entries(&self, steps: &[EntryStep], progress: &Progress) -> sqlx::Result<(Vec<EntryAnswer>, Woken)> {
        let mut turn = None;
        loop {
            if let Some(done) = self.try_steps(steps, progress, &mut turn).await? {
                return Ok(done);
            }
            turn = Some(self.turn_to_wait_for_keys().await?);
        }
    }

    /// Carries out steps; `None`: they enqueue unique jobs, and as many callers as may are waiting for keys. Nothing is done then.
    ///
    /// Whether they do stands in the entries, so that it is known only once they are locked.
    async fn try_steps<'a>(
        &'a self,
        steps: &[EntryStep],
        progress: &Progress,
        turn: &mut Option<SemaphorePermit<'a>>,
    ) -> sqlx::Result<Option<(Vec<EntryAnswer>, Woken)>> {
        let mut transaction = self.begin().await?;
        let mut stored = self.lock_entries(&mut transaction, steps).await?;
        progress.made();
        let members = match steps.iter().any(EntryStep::needs_members) {
            true => self.members(&mut transaction).await?,
            false => BTreeSet::new(),
        };
        let now = self.read_clock(&mut transaction).await?;
        let (mut answers, mut woken, mut changes) = (Vec::new(), Woken::default(), Changes::default());
        for step in steps {
            let entry = stored.remove(step.name());
            let is_row = entry.is_some();
            let entry = entry.filter(|text| !text.is_empty());
            let entry = entry.map(|text| StoredEntry::decode(&text)).transpose();
            let entry = entry.map_err(|error| sqlx::Error::Decode(error.into()))?;
            let unfinished = self.unfinished(&mut transaction, entry.as_ref()).await?;
            let around = Surroundings { now, members: &members, unfinished: &unfinished };
            let mut applied = step.apply(entry, around);
            if !self.may_wait_now(&applied.jobs, turn) {
                transaction.rollback().await?;
                return Ok(None);
            }
            woken.is_news |= applied.is_news;
            woken.executors.extend(applied.is_news.then_some(Scope::SCHEDULES_NAME));
            woken.ended.extend(self.replace_jobs(&mut transaction, &applied.cancel).await?);
            woken.cancelled.append(&mut applied.cancel);
            let jobs = std::mem::take(&mut applied.jobs);
            woken.executors.extend(jobs.iter().map(|job| job.executor.clone()));
            let enqueued = match jobs.is_empty() {
                true => Vec::new(),
                false => self.insert(&mut transaction, jobs, progress).await?,
            };
            answers.push(applied.note(&enqueued));
            match &applied.entry {
                Some(entry) if applied.is_changed => changes.add(step.name(), entry, now)?,
                None if is_row => changes.deleted.push(step.name().to_owned()),
                _ => {}
            }
        }
        self.store_entries(&mut transaction, changes).await?;
        transaction.commit().await?;
        Ok(Some((answers, woken)))
    }

    /// Locks the entries' rows, and makes those that are missing where a step may begin an entry.
    async fn lock_entries(
        &self,
        connection: &mut PgConnection,
        steps: &[EntryStep],
    ) -> sqlx::Result<BTreeMap<String, String>> {
        let names: Vec<String> = steps.iter().map(|step| step.name().to_owned()).collect();
        if steps.iter().any(EntryStep::may_begin) {
            self.query(&self.queries.reserve_entries).bind(names.clone()).execute(&mut *connection).await?;
        }
        let rows = self.query(&self.queries.lock_entries).bind(names).fetch_all(connection).await?;
        rows.iter().map(|row| Ok((row.try_get("name")?, row.try_get("entry")?))).collect()
    }

    /// Those of an entry's jobs that are not finished.
    async fn unfinished(
        &self,
        connection: &mut PgConnection,
        entry: Option<&StoredEntry>,
    ) -> sqlx::Result<BTreeSet<JobId>> {
        let ids: Vec<i64> = entry.iter().flat_map(|entry| entry.watched_jobs()).map(|job| job.as_i64()).collect();
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let rows = self.query(&self.queries.find_unfinished).bind(ids).fetch_all(connection).await?;
        rows.iter().map(|row| row.try_get::<i64, _>("id").map(JobId::from)).collect()
    }

    /// Asks the jobs of earlier ticks to stop; gives those whose ends are to be told.
    async fn replace_jobs(&self, connection: &mut PgConnection, jobs: &[JobId]) -> sqlx::Result<Vec<JobId>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let ids = jobs.iter().map(|job| job.as_i64()).collect();
        let Locked { mut jobs, unreadable, now } = self.lock_states(connection, ids).await?;
        if let Some(now) = now {
            jobs.retain_mut(|job| lifecycle::cancel(job, REPLACED.to_owned(), now).is_ok());
        }
        let ended = self.store_states(connection, &jobs).await?;
        self.quarantine(connection, unreadable).await?;
        Ok(ended)
    }

    async fn store_entries(&self, connection: &mut PgConnection, changes: Changes) -> sqlx::Result<()> {
        let Changes { names, due_at, last_at, entries, deleted } = changes;
        if !names.is_empty() {
            let store = self.query(&self.queries.store_entries).bind(names).bind(due_at).bind(last_at).bind(entries);
            store.execute(&mut *connection).await?;
        }
        if !deleted.is_empty() {
            self.query(&self.queries.delete_entries).bind(deleted).execute(connection).await?;
        }
        Ok(())
    }

    async fn members(&self, connection: &mut PgConnection) -> sqlx::Result<BTreeSet<NodeId>> {
        let rows = self.query(&self.queries.list_nodes).fetch_all(connection).await?;
        rows.iter().map(|row| row.try_get("id").map(NodeId)).collect()
    }

    async fn read_clock(&self, connection: &mut PgConnection) -> sqlx::Result<DateTime<Utc>> {
        match self.now() {
            Some(now) => Ok(now),
            None => {
                row::instant(&self.query(&self.queries.read_clock).bind(self.now()).fetch_one(connection).await?, "now")
            }
        }
    }
}

impl Changes {
    fn add(&mut self, name: &str, entry: &StoredEntry, now: DateTime<Utc>) -> sqlx::Result<()> {
        self.names.push(name.to_owned());
        self.due_at.push(entry.due_at(now));
        self.last_at.push(entry.ticked_until());
        self.entries.push(entry.encode().map_err(|error| sqlx::Error::Encode(error.into()))?);
        Ok(())
    }
}
