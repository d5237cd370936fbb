//! Telling what happens to jobs, and reading it.
//!
//! Events are rows that are stored in the transaction of what they tell of. Where that is rare, its statement stores them by itself if
//! anybody listens. Claims and completions, which are frequent, know nothing of events: a process that knows that somebody listens tells
//! of them in a statement of their own. It learns of a first listener as it learns of pauses, before its next claim.

use std::{collections::BTreeSet, sync::Arc};

use futures::future::BoxFuture;
use rexecutor::{
    TimeDelta,
    backend::{EventKind, EventPage, EventReader, EventRow, Events, Interest, JobRow, Pause, Result, Scope},
    clock::{Clock, SystemClock},
    job::{JobId, NodeId},
};
use sqlx::{
    PgConnection, Row,
    postgres::{PgRow, types::PgInterval},
};

use super::{
    backend::{Database, PgBackend},
    enqueue::interval,
    row,
};
use crate::common::{COUNTS_FOR, Feed, MOST_KEPT, Rows, enqueued};

const LISTEN: &str = "could not listen for events";

const READ: &str = "could not read events";

/// How many events one statement deletes.
const TRIMMED: i64 = 10_000;

impl Events for PgBackend {
    fn listen(&self, interest: Interest) -> BoxFuture<'_, Result<Box<dyn EventReader + '_>>> {
        Box::pin(async move {
            let (id, feed) = self.0.begin_to_listen(&interest).await?;
            Ok(Box::new(Reader { database: &self.0, id, feed }) as Box<dyn EventReader + '_>)
        })
    }
}

struct Reader<'b> {
    database: &'b Arc<Database>,
    /// Its number among those who listen.
    id: i64,
    feed: Feed,
}

impl EventReader for Reader<'_> {
    fn attend(&mut self, interest: Interest) -> BoxFuture<'_, Result<()>> {
        self.feed.interest = interest;
        Box::pin(async move {
            if !self.database.limited(LISTEN, self.renew()).await? {
                self.begin_anew().await?;
            }
            Ok(())
        })
    }

    fn read(&mut self, limit: usize) -> BoxFuture<'_, Result<EventPage>> {
        Box::pin(async move {
            let now = SystemClock.elapsed();
            if self.feed.is_to_renew(now) && !self.database.limited(READ, self.renew()).await? {
                self.begin_anew().await?;
                return Ok(EventPage::lost());
            }
            let rows = self.database.limited(READ, self.rows(limit)).await?;
            Ok(self.feed.take(rows, now))
        })
    }

    fn end(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let database = self.database;
            let end = async {
                let mut session = database.session().await?;
                database.query(&database.queries.delete_listener).bind(self.id).execute(&mut *session).await?;
                database.trim_events(&mut session).await?;
                session.end().await
            };
            database.limited("could not stop listening for events", end).await
        })
    }
}

impl Reader<'_> {
    async fn begin_anew(&mut self) -> Result<()> {
        (self.id, self.feed) = self.database.begin_to_listen(&self.feed.interest).await?;
        Ok(())
    }

    /// Counts as one who listens for a while longer, unless it has not for a while already.
    async fn renew(&mut self) -> sqlx::Result<bool> {
        let Database { queries, .. } = &**self.database;
        let mut session = self.database.session().await?;
        let renew = self.database.query(&queries.renew_listener).bind(self.id).bind(names(&self.feed.interest));
        let renew = renew.bind(counts_for()).bind(self.feed.events.seen());
        let is_renewed = renew.fetch_optional(&mut *session).await?.is_some();
        if is_renewed {
            self.database.trim_events(&mut session).await?;
        }
        session.end().await?;
        Ok(is_renewed)
    }

    async fn rows(&self, limit: usize) -> sqlx::Result<Rows> {
        let Database { queries, .. } = &**self.database;
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut session = self.database.session().await?;
        let (first, last) = self.feed.events.gaps();
        let list = self.database.query(&queries.list_events).bind(self.feed.events.last()).bind(first).bind(last);
        let events = list.bind(most).fetch_all(&mut *session).await?;
        let (first, last) = self.feed.jobs.gaps();
        let list = self.database.query(&queries.list_new_jobs).bind(self.feed.jobs.last()).bind(first).bind(last);
        let jobs = list.bind(most).bind(names(&self.feed.interest)).fetch_all(&mut *session).await?;
        session.end().await?;
        let newest = |rows: &[PgRow]| rows.first().map(|row| row.try_get::<Option<i64>, _>("newest")).transpose();
        Ok(Rows {
            newest_event: newest(&events)?.flatten(),
            events: events.iter().map(event).collect::<sqlx::Result<_>>()?,
            newest_job: newest(&jobs)?.flatten(),
            jobs: jobs.iter().map(new_job).collect::<sqlx::Result<_>>()?,
            limit,
        })
    }
}

fn names(interest: &Interest) -> Option<Vec<String>> {
    interest.as_ref().map(|executors| executors.iter().map(ToString::to_string).collect())
}

fn counts_for() -> PgInterval {
    interval(TimeDelta::seconds(COUNTS_FOR.into()))
}

fn event(stored: &PgRow) -> sqlx::Result<(i64, Option<EventRow>)> {
    let number: i64 = stored.try_get("id")?;
    // A newer program may have written it; one that nobody can read keeps no other from being read.
    let Some(kind) = EventKind::of(stored.try_get("kind")?) else { return Ok((number, None)) };
    let mut event = EventRow::new(row::instant(stored, "at")?, kind, stored.try_get::<String, _>("executor")?);
    event.job = stored.try_get::<Option<i64>, _>("job")?.map(JobId::from);
    event.attempt = u16::try_from(stored.try_get::<i32, _>("attempt")?).unwrap_or(u16::MAX);
    event.tags = stored.try_get::<Option<_>, _>("tags")?.unwrap_or_default();
    event.node = stored.try_get::<Option<i64>, _>("node")?.map(NodeId);
    event.due_at = row::optional_instant(stored, "due_at").ok().flatten();
    event.error = stored.try_get::<Option<&str>, _>("error")?.and_then(|error| serde_json::from_str(error).ok());
    event.detail = stored.try_get("detail")?;
    Ok((number, Some(event)))
}

fn new_job(stored: &PgRow) -> sqlx::Result<(i64, Option<EventRow>)> {
    let id: i64 = stored.try_get("id")?;
    let Some(executor) = stored.try_get::<Option<String>, _>("executor")? else { return Ok((id, None)) };
    let Ok(at) = row::instant(stored, "inserted_at") else { return Ok((id, None)) };
    let mut event = EventRow::new(at, EventKind::Enqueued, executor);
    event.tags = stored.try_get("tags").unwrap_or_default();
    event.due_at = row::optional_instant(stored, "due_at").ok().flatten();
    Ok(enqueued(id, event))
}

impl Database {
    /// Begins to listen. Once this has returned, no node claims anything that it does not tell of.
    async fn begin_to_listen(self: &Arc<Self>, interest: &Interest) -> Result<(i64, Feed)> {
        let now = SystemClock.elapsed();
        let work = async {
            let mut session = self.session().await?;
            let insert = self.query(&self.queries.insert_listener).bind(names(interest)).bind(counts_for());
            let listener = insert.fetch_one(&mut *session).await?;
            session.end().await?;
            if listener.try_get("is_first")? {
                self.outdate_nodes().await?;
            }
            let feed = Feed::after(listener.try_get("seen")?, listener.try_get("last_job")?, interest.clone(), now);
            Ok((listener.try_get::<i64, _>("id")?, feed))
        };
        let listening = self.limited(LISTEN, work).await?;
        // Those of this process do not have to be told.
        self.controls.set_heard(true);
        // The others claim, and learn of it by that.
        self.tell_all(BTreeSet::from([Scope::CLUSTER_NAME]), None).await;
        Ok(listening)
    }

    async fn trim_events(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let trim = self.query(&self.queries.trim_events).bind(MOST_KEPT).bind(TRIMMED);
        trim.execute(connection).await.map(drop)
    }

    /// Tells that jobs were claimed, in the transaction that has claimed them, if anybody listens.
    pub(super) async fn tell_started(&self, connection: &mut PgConnection, jobs: &[JobRow]) -> sqlx::Result<()> {
        if jobs.is_empty() || !self.controls.is_heard() {
            return Ok(());
        }
        let ids: Vec<i64> = jobs.iter().map(|job| job.id.as_i64()).collect();
        self.query(&self.queries.tell_started).bind(ids).execute(connection).await.map(drop)
    }

    /// Tells that jobs are complete, in the transaction that has completed them, if anybody listens.
    pub(super) async fn tell_completed(&self, connection: &mut PgConnection, jobs: Vec<i64>) -> sqlx::Result<()> {
        if jobs.is_empty() || !self.controls.is_heard() {
            return Ok(());
        }
        self.query(&self.queries.tell_completed).bind(jobs).execute(connection).await.map(drop)
    }

    /// Tells of a pause, or of the end of one, in its transaction.
    pub(super) async fn tell_pause(
        &self,
        connection: &mut PgConnection,
        scope: &Scope,
        pause: Option<&Pause>,
    ) -> sqlx::Result<()> {
        let kind = if pause.is_some() { EventKind::Paused } else { EventKind::Resumed };
        let tell = self.query(&self.queries.tell_pause).bind(self.now()).bind(kind.as_str());
        let tell = tell.bind(scope.name().to_string()).bind(EventRow::encode_pause(scope, pause));
        tell.execute(connection).await.map(drop)
    }

    /// Has those who listen look for what has happened: those of this process at once, and those of others soon.
    pub(super) fn tell_events(self: &Arc<Self>) {
        self.listeners.each(|wakeup| wakeup.happened());
        if self.controls.is_heard() {
            self.tell_happened();
        }
    }
}
