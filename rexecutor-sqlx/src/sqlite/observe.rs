//! What a dashboard shows. It is read on the connections for queries, so that no write waits for it.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AboutNode, BackendError, Bucket, Filter, JobRow, Result,
        observe::{
            Cluster, Count, Counts, JobOrder, JobsPage, JobsRequest, KeyStanding, Observe, Position, Queue, SeenNode,
            Stored,
        },
        rotation::{KeyBucket, KeyRate},
    },
    job::{ExecutorName, JobId, JobStatus, NodeId},
};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::{
    admit,
    backend::SqliteBackend,
    breakers,
    core::Core,
    error::backend_error,
    filter, queries, read,
    row::{instant_of, micros},
    script::json,
    tags,
};
use crate::common::{Bounds, Pages, Stream, Walk, instant_of_nanos, page};

type Db<T> = std::result::Result<T, sqlx::Error>;

impl Observe for SqliteBackend {
    fn page<'a>(&'a self, request: &'a JobsRequest) -> BoxFuture<'a, Result<JobsPage>> {
        Box::pin(async move {
            request.filter.check().map_err(BackendError::filter)?;
            let request = request.clone();
            self.look(async move |conn: &mut SqliteConnection, now| {
                page(&mut Reading { conn, now }, &request, now).await
            })
            .await
        })
    }

    fn counts(&self, cap: usize) -> BoxFuture<'_, Result<Counts>> {
        Box::pin(self.look(async move |conn: &mut SqliteConnection, _| counts(conn, cap).await))
    }

    fn cluster(&self) -> BoxFuture<'_, Result<Cluster>> {
        Box::pin(self.look(async |conn: &mut SqliteConnection, now| cluster(conn, now).await))
    }

    fn key<'a>(&'a self, executor: &'a ExecutorName, key: &'a str) -> BoxFuture<'a, Result<KeyStanding>> {
        let (executor, key) = (executor.to_string(), key.to_owned());
        Box::pin(self.look(async move |conn: &mut SqliteConnection, _| {
            let find = sqlx::query(queries::find_key()).bind(executor).bind(key);
            let found = find.fetch_one(conn).await?;
            let first = found.try_get::<Option<i64>, _>("id")?.zip(found.try_get::<Option<String>, _>("status")?);
            let first = first.and_then(|(id, status)| Some((JobId::from(id), status.parse().ok()?)));
            let held_until: Option<i64> = found.try_get("held_until")?;
            let kept = KeyBucket::new(found.try_get("full_at")?, held_until.and_then(instant_of_nanos));
            Ok(KeyStanding::new(number(&found, "jobs")?, first).with_kept(kept))
        }))
    }
}

impl SqliteBackend {
    /// Reads from one state of the file.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl AsyncFnOnce(&mut SqliteConnection, DateTime<Utc>) -> Db<T> + Send + 'static,
    ) -> Result<T> {
        let Some(readers) = &self.0.readers else {
            let step = async move |core: &mut Core| {
                let now = core.clock.now();
                look(&mut core.conn, now).await
            };
            return self.0.writer.run(step).await;
        };
        let mut reader = readers.take().await?;
        let answer = async {
            let mut snapshot = reader.conn().begin().await?;
            look(&mut snapshot, self.0.clock.now()).await
        };
        let answer = answer.await;
        if answer.is_ok() {
            reader.keep().await;
        }
        answer.map_err(backend_error)
    }
}

struct Reading<'c> {
    conn: &'c mut SqliteConnection,
    now: DateTime<Utc>,
}

/// A status as the indexes know it.
fn within(status: Option<JobStatus>) -> String {
    match status {
        None => "TRUE".to_owned(),
        Some(status) if status.is_finished() => {
            format!("status = '{status}' AND (status = 'complete' OR status = 'cancelled' OR status = 'discarded')")
        }
        Some(status) => format!("status = '{status}'"),
    }
}

/// A statement that is put together for a walk.
fn walking(sql: &str, walk: Walk) -> String {
    let (beyond, direction) = if walk.is_down { ("<", "DESC") } else { (">", "ASC") };
    let sql = sql.replace("{within}", &within(walk.status)).replace("{beyond}", beyond);
    sql.replace("{direction}", direction)
}

fn query(sql: String) -> Query<'static, sqlx::Sqlite, SqliteArguments> {
    sqlx::query(AssertSqlSafe(sql)).persistent(false)
}

impl Pages for Reading<'_> {
    async fn walk(&mut self, walk: Walk, filter: &Filter, limit: i64) -> Db<Vec<(i64, Option<JobRow>)>> {
        let (condition, values) = filter::condition(filter, self.now, 3);
        let sql = walking(queries::walk_jobs(), walk).replace("{filter}", &condition);
        let query = query(sql).bind(walk.behind).bind(walk.window).bind(limit);
        let rows = filter::bind(query, &values)?.fetch_all(&mut *self.conn).await?;
        let jobs = read::read_all(self.conn, &rows).await?;
        Ok(jobs
            .into_iter()
            .map(|job| match job {
                Ok(job) => (job.id.into(), Some(job)),
                Err(unreadable) => {
                    filter::warn(&unreadable);
                    (unreadable.id.into(), None)
                }
            })
            .collect())
    }

    async fn end_of(&mut self, walk: Walk) -> Db<Option<i64>> {
        let query = query(walking(queries::find_end(), walk)).bind(walk.behind).bind(walk.window);
        query.fetch_optional(&mut *self.conn).await?.map(|row| row.try_get("id")).transpose()
    }

    async fn first_from(&mut self, id: i64) -> Db<Option<(i64, DateTime<Utc>)>> {
        let found = sqlx::query(queries::find_from()).bind(id).fetch_optional(&mut *self.conn).await?;
        let Some(row) = found else { return Ok(None) };
        // A damaged one is looked for before all others; where it stands it is left out.
        let inserted_at = instant_of(row.try_get("inserted_at").unwrap_or_default(), "inserted_at").unwrap_or_default();
        Ok(Some((row.try_get("id")?, inserted_at)))
    }

    async fn streams(&mut self, bounds: &Bounds, order: JobOrder, behind: Position, limit: i64) -> Db<Vec<Stream>> {
        let (at, id) = (micros(behind.at), behind.id.as_i64());
        let mut streams = Vec::new();
        if order == JobOrder::Finished {
            for status in bounds.finished() {
                let sql = queries::list_finished().replace("{within}", &within(Some(status)));
                let rows = query(sql).bind(at).bind(id).bind(limit).fetch_all(&mut *self.conn).await?;
                let mut stream = Stream::default();
                rows.iter().for_each(|row| stream.add(position(row)));
                streams.push(stream);
            }
            return Ok(streams);
        }
        let executors = bounds.executors.as_ref();
        let executors = executors.map(|names| json(&names.iter().map(ExecutorName::as_str).collect::<Vec<_>>()));
        let list = sqlx::query(queries::list_due()).bind(at).bind(id).bind(limit).bind(executors.transpose()?);
        let mut last = None;
        for row in &list.fetch_all(&mut *self.conn).await? {
            let step: i64 = row.try_get("step")?;
            if last.replace(step) != Some(step) {
                streams.push(Stream::default());
            }
            if let Some(stream) = streams.last_mut() {
                stream.add(position(row));
            }
        }
        Ok(streams)
    }

    async fn matching(&mut self, filter: &Filter) -> Db<Vec<JobRow>> {
        filter::query(self.conn, filter, usize::MAX, self.now).await
    }
}

/// Where a job stands; `None`: nowhere, because it is damaged.
fn position(row: &sqlx::sqlite::SqliteRow) -> Option<Position> {
    let at = instant_of(row.try_get("at").ok()?, "at").ok()?;
    Some(Position { at, id: row.try_get::<i64, _>("id").ok()?.into() })
}

fn number(row: &sqlx::sqlite::SqliteRow, column: &str) -> Db<usize> {
    Ok(usize::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
}

fn executor(row: &sqlx::sqlite::SqliteRow) -> Db<ExecutorName> {
    Ok(ExecutorName::from(row.try_get::<String, _>("executor")?))
}

/// Two numbers that a statement gives as one JSON array.
fn pair(row: &sqlx::sqlite::SqliteRow) -> Db<(usize, usize)> {
    let text: &str = row.try_get("counts")?;
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

async fn counts(conn: &mut SqliteConnection, cap: usize) -> Db<Counts> {
    let mut counts = Counts::default();
    let most = i64::try_from(cap).unwrap_or(i64::MAX);
    for row in &sqlx::query(queries::count_waiting()).bind(most).fetch_all(&mut *conn).await? {
        let (scheduled, retryable) = pair(row)?;
        counts.add_waiting(executor(row)?, scheduled, retryable, number(row, "cap")?);
    }
    for ((_, executor), jobs) in runs(conn).await? {
        counts.add_one(JobStatus::Executing, executor, Count::exact(jobs));
    }
    let others = JobStatus::ALL.iter().filter(|status| status.is_finished() || **status == JobStatus::Blocked);
    for status in others.copied() {
        let sql = queries::count_status().replace("{within}", &within(Some(status)));
        let rows = query(sql).bind(most).fetch_all(&mut *conn).await?;
        let counted = rows.iter().map(|row| Ok((executor(row)?, number(row, "jobs")?)));
        counts.add(status, counted.collect::<Db<Vec<_>>>()?, cap);
    }
    Ok(counts)
}

async fn runs(conn: &mut SqliteConnection) -> Db<BTreeMap<(NodeId, ExecutorName), usize>> {
    let rows = sqlx::query(queries::count_runs()).fetch_all(conn).await?;
    let run = |row: &sqlx::sqlite::SqliteRow| {
        let node = NodeId(row.try_get::<Option<i64>, _>("node")?.unwrap_or_default());
        Ok(((node, executor(row)?), number(row, "jobs")?))
    };
    rows.iter().map(run).collect()
}

async fn cluster(conn: &mut SqliteConnection, now: DateTime<Utc>) -> Db<Cluster> {
    let mut nodes = Vec::new();
    for row in &sqlx::query(queries::list_seen()).fetch_all(&mut *conn).await? {
        // What is damaged is shown as 1970: nothing is decided by it.
        let instant = |column| Ok::<_, sqlx::Error>(instant_of(row.try_get(column)?, column).unwrap_or_default());
        let instant_of_join = instant("joined_at")?;
        let mut seen = SeenNode::new(NodeId(row.try_get("id")?), row.try_get("label")?, instant_of_join);
        seen.seen_at = instant("seen_at")?;
        seen.timeout = Duration::from_micros(row.try_get::<i64, _>("timeout")?.try_into().unwrap_or_default());
        seen.about = AboutNode::decode(row.try_get("about")?);
        let executors: Option<&str> = row.try_get("executors")?;
        let names = executors.and_then(|executors| serde_json::from_str::<Vec<String>>(executors).ok());
        seen.executors = names.map(|names| names.into_iter().map(ExecutorName::from).collect());
        seen.paused = admit::read(row).map_err(sqlx::Error::Decode)?.1;
        nodes.push(seen);
    }
    let mut stored = BTreeMap::new();
    for row in &sqlx::query(queries::list_stored()).fetch_all(&mut *conn).await? {
        let (executor, paused) = admit::read(row).map_err(sqlx::Error::Decode)?;
        let optional = |name: &str| row.try_get::<Option<i64>, _>(name);
        let count = |number: i64| usize::try_from(number).unwrap_or_default();
        let mut one = Stored::default();
        one.paused = paused;
        one.max_running = optional("max_running")?.map(count);
        one.controls.per_key = optional("max_per_key")?.map(count);
        let key_rate = optional("key_rate_interval")?.zip(optional("key_rate_burst")?);
        one.controls.key_rate = key_rate.map(|(interval, burst)| KeyRate::new(interval, burst));
        one.controls.breaker = breakers::held(row)?;
        one.controls.weighs = row.try_get("weighs")?;
        one.controls.aging = optional("aging")?.map(|micros| Duration::from_micros(micros.unsigned_abs()));
        one.controls.ordered = row.try_get("is_ordered")?;
        let shared: Vec<String> = serde_json::from_str(row.try_get("shared")?).unwrap_or_default();
        one.controls.shared = shared.into_iter().map(ExecutorName::from).collect();
        let (rate, full_at) = (optional("rate_interval")?.zip(optional("rate_burst")?), optional("full_at")?);
        one.controls.bucket = rate.map(|(interval, burst)| Bucket::new(interval, burst, full_at));
        let throttled = optional("throttled_until")?;
        one.controls.throttled_until = throttled.and_then(|micros| instant_of(micros, "throttled_until").ok());
        stored.insert(executor, one);
    }
    let mut queues = BTreeMap::new();
    let most = i64::try_from(Queue::MOST).unwrap_or(i64::MAX);
    let list = sqlx::query(queries::list_queues()).bind(micros(now)).bind(most);
    for row in &list.fetch_all(&mut *conn).await? {
        let (waiting, due) = pair(row)?;
        let first = instant_of(row.try_get("first_due_at")?, "scheduled_at").ok();
        queues.insert(executor(row)?, Queue::new(waiting, due, first, number(row, "cap")?));
    }
    let tags = tags::paused(conn).await?;
    Ok(Cluster::new(now, nodes, runs(conn).await?, stored, queues).with_paused_tags(tags))
}
