//! What a dashboard shows.
//!
//! Its statements are planned as the planner likes, and have a time limit of their own: they must not keep a connection of the
//! pool for long, whatever the statistics say.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AboutNode, BackendError, Bucket, Filter, JobRow, Paused, Result, Scope,
        observe::{
            Cluster, Count, Counts, JobOrder, JobsPage, JobsRequest, KeyStanding, Observe, Position, Queue, SeenNode,
            Stored,
        },
        rotation::{KeyBucket, KeyRate},
    },
    job::{ExecutorName, JobId, JobStatus, NodeId},
};
use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, Row, Transaction,
    postgres::{PgArguments, PgRow, types::PgInterval},
    query::Query,
};

use super::{
    backend::{Database, PgBackend},
    breakers,
    control::{executor, pause},
    filter, maintain, row,
};
use crate::common::{Bounds, Pages, Stream, Walk, instant_of_nanos, page};

/// How long a statement may take.
const TIMEOUT: Duration = Duration::from_secs(2);

impl Observe for PgBackend {
    fn page<'a>(&'a self, request: &'a JobsRequest) -> BoxFuture<'a, Result<JobsPage>> {
        Box::pin(async move {
            request.filter.check().map_err(BackendError::filter)?;
            self.0.limited("could not read a page of jobs", self.0.page(request)).await
        })
    }

    fn counts(&self, cap: usize) -> BoxFuture<'_, Result<Counts>> {
        Box::pin(self.0.limited("could not count jobs", self.0.counts(cap)))
    }

    fn cluster(&self) -> BoxFuture<'_, Result<Cluster>> {
        Box::pin(self.0.limited("could not read how the cluster stands", self.0.cluster()))
    }

    fn key<'a>(&'a self, executor: &'a ExecutorName, key: &'a str) -> BoxFuture<'a, Result<KeyStanding>> {
        Box::pin(self.0.limited("could not read how a key stands", self.0.key(executor, key)))
    }
}

impl Database {
    async fn begin_observing(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        self.begin_reading(TIMEOUT).await
    }

    async fn page(&self, request: &JobsRequest) -> sqlx::Result<JobsPage> {
        let mut transaction = self.begin_observing().await?;
        let clock = self.query(&self.queries.read_clock).bind(self.now());
        let now = row::instant(&clock.fetch_one(&mut *transaction).await?, "now")?;
        let page = page(&mut Reading { database: self, conn: &mut transaction, now }, request, now).await?;
        transaction.commit().await?;
        Ok(page)
    }

    async fn counts(&self, cap: usize) -> sqlx::Result<Counts> {
        let mut transaction = self.begin_observing().await?;
        let mut counts = Counts::default();
        let most = i64::try_from(cap).unwrap_or(i64::MAX);
        let waiting = self.query(&self.queries.count_waiting).bind(most);
        for row in &waiting.fetch_all(&mut *transaction).await? {
            let (scheduled, retryable) = (number(row, "scheduled")?, number(row, "retryable")?);
            counts.add_waiting(executor(row)?, scheduled, retryable, number(row, "cap")?);
        }
        for ((_, executor), jobs) in self.runs(&mut transaction).await? {
            counts.add_one(JobStatus::Executing, executor, Count::exact(jobs));
        }
        let others = JobStatus::ALL.iter().filter(|status| status.is_finished() || **status == JobStatus::Blocked);
        for status in others.copied() {
            let sql = replaced(&self.queries.count_status, &[("{within}", &within(Some(status)))]);
            let rows = query(sql).bind(most).fetch_all(&mut *transaction).await?;
            let counted = rows.iter().map(|row| Ok((executor(row)?, number(row, "jobs")?)));
            counts.add(status, counted.collect::<sqlx::Result<Vec<_>>>()?, cap);
        }
        transaction.commit().await?;
        Ok(counts)
    }

    async fn cluster(&self) -> sqlx::Result<Cluster> {
        let mut transaction = self.begin_observing().await?;
        let clock = self.query(&self.queries.read_clock).bind(self.now());
        let now = row::instant(&clock.fetch_one(&mut *transaction).await?, "now")?;
        let seen = self.query(&self.queries.list_seen).fetch_all(&mut *transaction).await?;
        let stored = self.query(&self.queries.list_stored).fetch_all(&mut *transaction).await?;
        let most = i64::try_from(Queue::MOST).unwrap_or(i64::MAX);
        let waiting = self.query(&self.queries.list_queues).bind(self.now()).bind(most);
        let waiting = waiting.fetch_all(&mut *transaction).await?;
        let runs = self.runs(&mut transaction).await?;
        let tags = self.paused_tags(&mut transaction).await?;
        transaction.commit().await?;
        let nodes = seen.iter().map(seen_node).collect::<sqlx::Result<_>>()?;
        let stored = stored.iter().map(stored_of).collect::<sqlx::Result<_>>()?;
        let queue = |row: &PgRow| {
            let first = row::optional_instant(row, "first_due_at").ok().flatten();
            let queue = Queue::new(number(row, "jobs")?, number(row, "due")?, first, number(row, "cap")?);
            Ok((executor(row)?, queue))
        };
        let queues = waiting.iter().map(queue).collect::<sqlx::Result<_>>()?;
        Ok(Cluster::new(now, nodes, runs, stored, queues).with_paused_tags(tags))
    }

    async fn runs(&self, connection: &mut PgConnection) -> sqlx::Result<BTreeMap<(NodeId, ExecutorName), usize>> {
        let rows = self.query(&self.queries.count_runs).fetch_all(connection).await?;
        let run = |row: &PgRow| {
            let node = NodeId(row.try_get::<Option<i64>, _>("node")?.unwrap_or_default());
            Ok(((node, executor(row)?), number(row, "jobs")?))
        };
        rows.iter().map(run).collect()
    }

    async fn key(&self, executor: &ExecutorName, key: &str) -> sqlx::Result<KeyStanding> {
        // Such a key cannot be stored.
        if key.contains('\0') || executor.as_str().contains('\0') {
            return Ok(KeyStanding::default());
        }
        let mut transaction = self.begin_observing().await?;
        let find = self.query(&self.queries.find_key).bind(executor.to_string()).bind(key.to_owned());
        let found = find.fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        let first = found.try_get::<Option<i64>, _>("id")?.zip(found.try_get::<Option<String>, _>("status")?);
        let first = first.and_then(|(id, status)| Some((JobId::from(id), status.parse().ok()?)));
        let held_until: Option<i64> = found.try_get("held_until")?;
        let kept = KeyBucket::new(found.try_get("full_at")?, held_until.and_then(instant_of_nanos));
        Ok(KeyStanding::new(number(&found, "jobs")?, first).with_kept(kept))
    }
}

fn number(row: &PgRow, column: &str) -> sqlx::Result<usize> {
    Ok(usize::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
}

fn seen_node(row: &PgRow) -> sqlx::Result<SeenNode> {
    // What is damaged is shown as 1970: nothing is decided by it.
    let instant = |column| row::instant(row, column).unwrap_or_default();
    let mut seen = SeenNode::new(NodeId(row.try_get("id")?), row.try_get("label")?, instant("joined_at"));
    seen.seen_at = instant("seen_at");
    let timeout: PgInterval = row.try_get("timeout")?;
    seen.timeout = maintain::duration(&timeout);
    seen.about = AboutNode::decode(row.try_get("about")?);
    let executors: Option<Vec<String>> = row.try_get("executors")?;
    seen.executors = executors.map(|names| names.into_iter().map(ExecutorName::from).collect());
    let since = row::optional_instant(row, "paused_at")?;
    let paused = pause(row)?.zip(since);
    seen.paused = paused.map(|(pause, since)| Paused::new(Scope::Node(seen.label.clone()), since, pause));
    Ok(seen)
}

fn stored_of(row: &PgRow) -> sqlx::Result<(ExecutorName, Stored)> {
    let executor = executor(row)?;
    let optional = |name: &str| row.try_get::<Option<i64>, _>(name);
    let count = |number: i64| usize::try_from(number).unwrap_or_default();
    let mut one = Stored::default();
    let since = row::optional_instant(row, "paused_at")?;
    let paused = pause(row)?.zip(since);
    one.paused = paused.map(|(pause, since)| Paused::new(Scope::of_name(executor.clone()), since, pause));
    one.max_running = optional("max_running")?.map(count);
    one.controls.per_key = optional("max_per_key")?.map(count);
    let key_rate = optional("key_rate_interval")?.zip(optional("key_rate_burst")?);
    one.controls.key_rate = key_rate.map(|(interval, burst)| KeyRate::new(interval, burst));
    one.controls.breaker = breakers::held(row)?;
    one.controls.weighs = row.try_get("weighs")?;
    one.controls.aging = optional("aging")?.map(|micros| Duration::from_micros(micros.unsigned_abs()));
    one.controls.ordered = row.try_get("is_ordered")?;
    let shared: Vec<String> = row.try_get("shared")?;
    one.controls.shared = shared.into_iter().map(ExecutorName::from).collect();
    let (rate, full_at) = (optional("rate_interval")?.zip(optional("rate_burst")?), optional("full_at")?);
    one.controls.bucket = rate.map(|(interval, burst)| Bucket::new(interval, burst, full_at));
    one.controls.throttled_until = row::optional_instant(row, "throttled_until").unwrap_or_default();
    Ok((executor, one))
}

struct Reading<'c> {
    database: &'c Database,
    conn: &'c mut PgConnection,
    now: DateTime<Utc>,
}

/// A status as the indexes know it.
fn within(status: Option<JobStatus>) -> String {
    status.map_or("TRUE".to_owned(), |status| format!("status = '{status}'"))
}

/// A statement with its parts put in. Each stands behind the schema's name, which may contain anything, or is its first.
fn replaced(sql: &str, parts: &[(&str, &str)]) -> String {
    parts.iter().fold(sql.to_owned(), |sql, (mark, part)| sql.replace(mark, part))
}

fn walking(sql: &str, walk: Walk) -> String {
    let (beyond, direction) = if walk.is_down { ("<", "DESC") } else { (">", "ASC") };
    replaced(sql, &[("{within}", &within(walk.status)), ("{beyond}", beyond), ("{direction}", direction)])
}

fn query(sql: String) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(AssertSqlSafe(sql)).persistent(false)
}

/// Where a job stands; `None`: nowhere, as one that is due at 'infinity'.
fn position(row: &PgRow) -> Option<Position> {
    Some(Position { at: row::instant(row, "at").ok()?, id: row.try_get::<i64, _>("id").ok()?.into() })
}

impl Pages for Reading<'_> {
    async fn walk(&mut self, walk: Walk, filter: &Filter, limit: i64) -> sqlx::Result<Vec<(i64, Option<JobRow>)>> {
        let sql = walking(&self.database.queries.walk_jobs, walk);
        let query = filter::walk(&sql, filter, self.now, (walk.behind, walk.window, limit));
        let rows = query.fetch_all(&mut *self.conn).await?;
        let read = |stored: &PgRow| {
            let id: i64 = stored.try_get("id")?;
            Ok((id, row::job(stored).inspect_err(|error| filter::warn(id, error)).ok()))
        };
        rows.iter().map(read).collect()
    }

    async fn end_of(&mut self, walk: Walk) -> sqlx::Result<Option<i64>> {
        let query = query(walking(&self.database.queries.find_end, walk)).bind(walk.behind).bind(walk.window);
        query.fetch_optional(&mut *self.conn).await?.map(|row| row.try_get("id")).transpose()
    }

    async fn first_from(&mut self, id: i64) -> sqlx::Result<Option<(i64, DateTime<Utc>)>> {
        let query = self.database.query(&self.database.queries.find_from).bind(id);
        let found = query.fetch_optional(&mut *self.conn).await?;
        // A damaged one is looked for before all others; where it stands it is left out.
        found.map(|row| Ok((row.try_get("id")?, row::instant(&row, "inserted_at").unwrap_or_default()))).transpose()
    }

    async fn streams(
        &mut self,
        bounds: &Bounds,
        order: JobOrder,
        behind: Position,
        limit: i64,
    ) -> sqlx::Result<Vec<Stream>> {
        let (at, id) = (filter::storable(behind.at), behind.id.as_i64());
        let mut streams = Vec::new();
        if order == JobOrder::Finished {
            for status in bounds.finished() {
                let sql = replaced(&self.database.queries.list_finished, &[("{within}", &within(Some(status)))]);
                let rows = query(sql).bind(at).bind(id).bind(limit).fetch_all(&mut *self.conn).await?;
                let mut stream = Stream::default();
                rows.iter().for_each(|row| stream.add(position(row)));
                streams.push(stream);
            }
            return Ok(streams);
        }
        let executors = bounds.executors.as_ref();
        let executors = executors.map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
        let executors = executors.map(|mut names| {
            names.retain(|name| !name.contains('\0'));
            names
        });
        let list = self.database.query(&self.database.queries.list_due).bind(at).bind(id).bind(limit).bind(executors);
        let mut last = None;
        for row in &list.fetch_all(&mut *self.conn).await? {
            let step: i32 = row.try_get("step")?;
            if last.replace(step) != Some(step) {
                streams.push(Stream::default());
            }
            if let Some(stream) = streams.last_mut() {
                stream.add(position(row));
            }
        }
        Ok(streams)
    }

    async fn matching(&mut self, filter: &Filter) -> sqlx::Result<Vec<JobRow>> {
        let (mut jobs, mut last) = (Vec::new(), i64::MIN);
        loop {
            let query = filter::query(&self.database.queries.query_jobs, filter, self.now, last, 1_000);
            let rows = query.fetch_all(&mut *self.conn).await?;
            for stored in &rows {
                last = stored.try_get("id")?;
                match row::job(stored) {
                    Ok(job) if filter.matches(&job, self.now) => jobs.push(job),
                    Ok(_) => {}
                    Err(error) => filter::warn(last, &error),
                }
            }
            if rows.len() < 1_000 {
                return Ok(jobs);
            }
        }
    }
}
