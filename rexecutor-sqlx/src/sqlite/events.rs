//! Telling what happens to jobs, and reading it.
//!
//! What happens in a transaction is gathered by its [`Work`], if anybody listens, and stored with its commit. Whether anybody does is asked
//! with the statement that begins it. Only a transaction that is one hand-over does not ask: it goes by what the process knows from the one
//! before. A first listener outdates all nodes, so that no claim is one of these before the process knows.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{EventKind, EventPage, EventReader, EventRow, Events, Failure, Interest, JobRow, Result, Scope},
    clock::{Clock, SystemClock},
    job::{ErrorType, ExecutorName, JobError, JobId, NodeId},
};
use serde_json::{Value, json as value};
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    backend::{Database, SqliteBackend},
    control,
    core::{Commit, Core},
    queries,
    row::{instant_of, micros},
    script::{Script, json},
    work::Work,
};
use crate::common::{COUNTS_FOR, Feed, MOST_KEPT, Rows, enqueued};

impl Events for SqliteBackend {
    fn listen(&self, interest: Interest) -> BoxFuture<'_, Result<Box<dyn EventReader + '_>>> {
        Box::pin(async move {
            let (id, feed) = self.0.listen(&interest).await?;
            Ok(Box::new(Reader { database: &self.0, id, feed }) as Box<dyn EventReader + '_>)
        })
    }
}

struct Reader<'b> {
    database: &'b Database,
    /// Its number among those who listen.
    id: i64,
    feed: Feed,
}

impl EventReader for Reader<'_> {
    fn attend(&mut self, interest: Interest) -> BoxFuture<'_, Result<()>> {
        self.feed.interest = interest;
        Box::pin(async move {
            if !self.renew().await? {
                (self.id, self.feed) = self.database.listen(&self.feed.interest).await?;
            }
            Ok(())
        })
    }

    fn read(&mut self, limit: usize) -> BoxFuture<'_, Result<EventPage>> {
        Box::pin(async move {
            let now = SystemClock.elapsed();
            if self.feed.is_to_renew(now) && !self.renew().await? {
                (self.id, self.feed) = self.database.listen(&self.feed.interest).await?;
                return Ok(EventPage::lost());
            }
            let (event, job, interest) = (self.feed.events.last(), self.feed.jobs.last(), names(&self.feed.interest));
            let look = async move |core: &mut Core| read(core, event, job, interest, limit).await;
            let rows = self.database.writer.run(look).await?;
            Ok(self.feed.take(rows, now))
        })
    }

    fn end(&mut self) -> BoxFuture<'_, Result<()>> {
        let id = self.id;
        let end = async move |work: &mut Work<'_>| {
            let script = Script::default().then(queries::delete_listener()).bind(id)?;
            work.run(script).await?;
            trim(work).await
        };
        Box::pin(self.database.writer.write(Commit::Progress, end))
    }
}

impl Reader<'_> {
    /// Counts as one who listens for a while longer, unless it has not for a while already.
    async fn renew(&self) -> Result<bool> {
        let (id, interest, seen) = (self.id, names(&self.feed.interest), self.feed.events.seen());
        let renew = async move |work: &mut Work<'_>| {
            let renew = sqlx::query(queries::renew_listener()).bind(id).bind(interest).bind(COUNTS_FOR).bind(seen);
            let is_renewed = renew.execute(&mut *work.conn).await?.rows_affected() > 0;
            trim(work).await?;
            Ok(is_renewed)
        };
        self.database.writer.write(Commit::Progress, renew).await
    }
}

impl Database {
    /// Whether anybody listens, as far as this process knows.
    pub(super) fn is_heard(&self) -> bool {
        self.heard.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Begins to listen. Once this has returned, no node claims anything that it does not tell of.
    async fn listen(&self, interest: &Interest) -> Result<(i64, Feed)> {
        let (interest, listened, now) = (names(interest), interest.clone(), SystemClock.elapsed());
        let listen = async move |work: &mut Work<'_>| {
            if !work.is_heard {
                control::outdate_nodes(work).await?;
                work.due.insert(Scope::CLUSTER_NAME);
            }
            work.run(Script::default().then(queries::delete_listener()).bind(0)?).await?;
            trim(work).await?;
            let script = Script::default().then(queries::insert_listener()).then(queries::find_last_job());
            let answers = work.run(script.bind(interest)?.bind(COUNTS_FOR)?).await?;
            let mut rows = answers.iter().filter_map(|answer| answer.rows.first());
            let (Some(listener), Some(last_job)) = (rows.next(), rows.next()) else {
                return Err(sqlx::Error::RowNotFound);
            };
            work.is_heard = true;
            Ok((listener.try_get(0)?, Feed::after(listener.try_get(1)?, last_job.try_get(0)?, listened, now)))
        };
        self.writer.write(Commit::Progress, listen).await
    }
}

async fn trim(work: &mut Work<'_>) -> Result<(), sqlx::Error> {
    work.run(Script::default().then(queries::trim_events()).bind(MOST_KEPT)?).await.map(drop)
}

fn names(interest: &Interest) -> Option<String> {
    let names = |executors: &Vec<ExecutorName>| executors.iter().map(|name| Value::from(name.as_str())).collect();
    interest.as_ref().map(|executors| Value::Array(names(executors)).to_string())
}

/// Events, and then new jobs: so of each event that is read the job was seen.
async fn read(
    core: &mut Core,
    event: i64,
    job: i64,
    interest: Option<String>,
    limit: usize,
) -> Result<Rows, sqlx::Error> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let script = Script::default().then(queries::list_events()).then(queries::list_new_jobs());
    let script = script.then(queries::find_last_event()).then(queries::find_last_job());
    let answers = script.bind(event)?.bind(most)?.bind(job)?.bind(interest)?.run(&mut core.conn).await?;
    let rows = |place: usize| answers.get(place).map_or(&[][..], |answer| &answer.rows);
    let newest = |place: usize| rows(place).first().map(|row| row.try_get::<i64, _>(0)).transpose();
    Ok(Rows {
        events: rows(0).iter().map(self::event).collect::<Result<_, _>>()?,
        newest_event: newest(2)?,
        jobs: rows(1).iter().map(new_job).collect::<Result<_, _>>()?,
        newest_job: newest(3)?,
        limit,
    })
}

fn event(stored: &SqliteRow) -> Result<(i64, Option<EventRow>), sqlx::Error> {
    let number: i64 = stored.try_get("id")?;
    // A newer program may have written it; one that nobody can read keeps no other from being read.
    let Some(kind) = EventKind::of(stored.try_get("kind")?) else { return Ok((number, None)) };
    let Ok(at) = instant_of(stored.try_get("at")?, "at") else { return Ok((number, None)) };
    let mut event = EventRow::new(at, kind, stored.try_get::<String, _>("executor")?);
    event.job = stored.try_get::<Option<i64>, _>("job")?.map(JobId::from);
    event.attempt = stored.try_get::<i64, _>("attempt")?.try_into().unwrap_or(u16::MAX);
    event.tags = tags(stored);
    event.node = stored.try_get::<Option<i64>, _>("node")?.map(NodeId);
    event.due_at = due_at(stored);
    event.error = stored.try_get::<Option<&str>, _>("error")?.and_then(|error| serde_json::from_str(error).ok());
    event.detail = stored.try_get("detail")?;
    Ok((number, Some(event)))
}

fn tags(stored: &SqliteRow) -> Vec<String> {
    let tags: Option<&str> = stored.try_get("tags").unwrap_or_default();
    tags.and_then(|tags| serde_json::from_str(tags).ok()).unwrap_or_default()
}

fn due_at(stored: &SqliteRow) -> Option<DateTime<Utc>> {
    let due_at: Option<i64> = stored.try_get("due_at").ok().flatten();
    due_at.and_then(|micros| instant_of(micros, "due_at").ok())
}

fn new_job(stored: &SqliteRow) -> Result<(i64, Option<EventRow>), sqlx::Error> {
    let id: i64 = stored.try_get("id")?;
    let Some(executor) = stored.try_get::<Option<String>, _>("executor")? else { return Ok((id, None)) };
    let Ok(at) = instant_of(stored.try_get("inserted_at")?, "inserted_at") else { return Ok((id, None)) };
    let mut event = EventRow::new(at, EventKind::Enqueued, executor);
    (event.tags, event.due_at) = (tags(stored), due_at(stored));
    Ok(enqueued(id, event))
}

/// The statement that stores these events.
pub(super) fn store(events: &[EventRow]) -> Result<Script, sqlx::Error> {
    let row = |event: &EventRow| {
        let error = event.error.as_ref().map(json).transpose()?;
        let executor = Some(event.executor.as_str()).filter(|name| !name.is_empty());
        Ok(value!([
            micros(event.at),
            event.kind.as_str(),
            event.job,
            executor,
            event.attempt,
            json(&event.tags)?,
            event.node.map(|node| node.0),
            event.due_at.map(micros),
            error,
            event.detail,
        ]))
    };
    let rows = events.iter().map(row).collect::<Result<Vec<Value>, sqlx::Error>>()?;
    Script::default().then(queries::store_events()).bind(json(&rows)?)
}

/// That a job was discarded because its row cannot be read.
pub(super) fn of_unreadable(id: JobId, details: &str, at: DateTime<Utc>) -> EventRow {
    let mut event = EventRow::new(at, EventKind::Discarded, "");
    event.job = Some(id);
    event.error = Some(JobError::new(0, Failure::new(ErrorType::Decode, details), at));
    event
}

/// That a job was claimed. When it was enqueued stands where it is said of others when they are due.
pub(super) fn of_start(job: &JobRow) -> EventRow {
    let at = job.attempted_at.unwrap_or(job.inserted_at);
    let mut event = EventRow::of(job, EventKind::Started, at);
    event.due_at = Some(job.inserted_at);
    event
}

/// Tells that these jobs are complete.
pub(super) async fn tell_completed(work: &mut Work<'_>, jobs: &[JobId]) -> Result<(), sqlx::Error> {
    if !work.is_heard || jobs.is_empty() {
        return Ok(());
    }
    work.run(Script::default().then(queries::tell_completed()).bind(json(&jobs)?)?).await.map(drop)
}

/// That a blocked job may run.
pub(super) fn of_released(id: i64, executor: ExecutorName, due_at: i64, at: DateTime<Utc>) -> EventRow {
    let mut event = EventRow::new(at, EventKind::Released, executor);
    event.job = Some(JobId::from(id));
    event.due_at = instant_of(due_at, "scheduled_at").ok();
    event
}
