//! Taking in new jobs.

use std::collections::{BTreeSet, HashMap};

use super::{
    SqliteBackend,
    row::{self, micros},
    script::{Script, json},
    work::Work,
    writer::{Commit, Request},
};
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{Enqueue, Enqueued, JobRow, NewJob, Result, ScheduleKey, Ticks, Unique, lifecycle},
    job::{
        JobId,
        uniqueness_criteria::{Resolution, UniqueKey},
    },
};
use serde_json::{Value, json as array};
use sqlx::Row;

impl Enqueue for SqliteBackend {
    fn enqueue(&self, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>>> {
        Box::pin(self.0.writer.share(jobs, Request::Enqueue))
    }

    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>> {
        let schedules = schedules.to_vec();
        let step = async move |work: &mut Work<'_>| {
            let now = work.now;
            let mut last = Vec::with_capacity(schedules.len());
            for schedule in &schedules {
                last.push(last_tick(work, schedule).await?);
            }
            Ok(Ticks { now, last })
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }

    fn tick<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        at: DateTime<Utc>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<bool>> {
        let key = schedule.0.clone();
        let step = async move |work: &mut Work<'_>| {
            let save = sqlx::query(include_str!("queries/save_tick.sql")).bind(key).bind(micros(at));
            let is_new = save.execute(&mut *work.conn).await?.rows_affected() > 0;
            if is_new {
                store(work, &jobs).await?;
            }
            Ok(is_new)
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }
}

/// The last tick of a schedule, which is the present if it was not known.
async fn last_tick(work: &mut Work<'_>, schedule: &ScheduleKey) -> Result<DateTime<Utc>, sqlx::Error> {
    let insert = sqlx::query(include_str!("queries/insert_schedule.sql")).bind(&schedule.0).bind(micros(work.now));
    insert.execute(&mut *work.conn).await?;
    let find = sqlx::query_scalar(include_str!("queries/find_tick.sql")).bind(&schedule.0);
    let tick: i64 = find.fetch_one(&mut *work.conn).await?;
    let broken = || sqlx::Error::Decode(format!("the last tick of a schedule is {tick}, which is no time").into());
    DateTime::from_timestamp_micros(tick).ok_or_else(broken)
}

/// The most jobs, and about the most bytes, that one statement inserts.
const CHUNK: (usize, usize) = (1000, 4 << 20);

/// Stores jobs in their order.
pub(super) async fn store(work: &mut Work<'_>, jobs: &[NewJob]) -> Result<Vec<Enqueued>, sqlx::Error> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    work.due.extend(jobs.iter().map(|job| &job.executor).collect::<BTreeSet<_>>().into_iter().cloned());
    let new: Vec<New<'_>> = jobs.iter().map(|job| New::of(job, work.now)).collect();
    if jobs.iter().all(|job| job.unique.is_none()) && fitting(&new) == new.len() {
        return store_at_once(work, &new).await;
    }
    work.open().await?;
    let mut taken = Taken::look_up(work, jobs).await?;
    let answers: Vec<Enqueued> = jobs.iter().map(|job| taken.take(job, work.now)).collect();
    let new: Vec<New<'_>> = taken.inserted.iter().map(New::of_row).collect();
    let mut rest = new.as_slice();
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(fitting(rest));
        work.run(insert(Script::default(), chunk)?).await?;
        rest = later;
    }
    for job in taken.stored.values().filter(|stored| stored.is_changed).map(|stored| &stored.row) {
        save_content(work, job).await?;
    }
    Ok(answers)
}

/// Stores jobs that nothing can be in the way of, in one hand-over from the transaction's begin to its commit.
async fn store_at_once(work: &mut Work<'_>, jobs: &[New<'_>]) -> Result<Vec<Enqueued>, sqlx::Error> {
    let script = Script::default().then(include_str!("queries/find_last_job.sql"));
    let answers = work.finish(insert(script, jobs)?).await?;
    let last_id: i64 = match answers.first().and_then(|answer| answer.rows.first()) {
        Some(row) => row.try_get(0)?,
        None => return Err(sqlx::Error::RowNotFound),
    };
    let ids = (last_id + 1..).take(jobs.len());
    Ok(ids.map(|id| Enqueued::Inserted(JobId::from(id))).collect())
}

/// What is stored of a new job.
#[derive(PartialEq)]
struct New<'j> {
    executor: &'j str,
    priority: u16,
    scheduled_at: i64,
    max_attempts: u16,
    inserted_at: i64,
    unique_key: Option<UniqueKey>,
    tags: &'j [String],
    metadata: Option<&'j str>,
    data: &'j str,
}

impl<'j> New<'j> {
    fn of(job: &'j NewJob, now: DateTime<Utc>) -> Self {
        Self {
            executor: job.executor.as_str(),
            priority: job.priority,
            scheduled_at: micros(job.due.at(now)),
            max_attempts: job.max_attempts,
            inserted_at: micros(now),
            unique_key: job.unique.as_ref().map(|unique| unique.key),
            tags: &job.tags,
            metadata: job.metadata.as_deref(),
            data: &job.data,
        }
    }

    fn of_row(job: &'j JobRow) -> Self {
        Self {
            executor: job.executor.as_str(),
            priority: job.priority,
            scheduled_at: micros(job.scheduled_at),
            max_attempts: job.max_attempts,
            inserted_at: micros(job.inserted_at),
            unique_key: job.unique_key,
            tags: &job.tags,
            metadata: job.metadata.as_deref(),
            data: &job.data,
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        Self { data: "", ..*self } == Self { data: "", ..*other }
    }
}

/// How many of these jobs, which is at least one, go into one statement.
fn fitting(jobs: &[New<'_>]) -> usize {
    let mut bytes = 0;
    let fits = |job: &&New<'_>| {
        bytes += job.data.len() + job.metadata.map_or(0, str::len);
        bytes <= CHUNK.1
    };
    jobs.iter().take(CHUNK.0).take_while(fits).count().max(1)
}

/// Adds the statement that inserts these jobs, of which there is at least one.
fn insert(script: Script, jobs: &[New<'_>]) -> Result<Script, sqlx::Error> {
    match jobs {
        [first, others @ ..] if others.iter().all(|job| job.is_like(first)) => script
            .then(include_str!("queries/insert_alike.sql"))
            .bind(json(&jobs.iter().map(|job| job.data).collect::<Vec<_>>())?)?
            .bind(first.executor.to_owned())?
            .bind(first.priority)?
            .bind(first.scheduled_at)?
            .bind(first.max_attempts)?
            .bind(first.inserted_at)?
            .bind(first.unique_key.map(hex))?
            .bind(json(&first.tags)?)?
            .bind(first.metadata.map(str::to_owned)),
        _ => {
            let tags = jobs.iter().map(|job| json(&job.tags)).collect::<Result<Vec<_>, _>>()?;
            let rows = jobs.iter().zip(&tags).map(|(job, tags)| {
                let New { executor, priority, scheduled_at, max_attempts, inserted_at, metadata, data, .. } = *job;
                let key = job.unique_key.map(hex);
                (executor, priority, scheduled_at, max_attempts, inserted_at, key, tags, metadata, data)
            });
            let rows: Vec<_> = rows.collect();
            script.then(include_str!("queries/insert_jobs.sql")).bind(json(&rows)?)
        }
    }
}

/// Saves what may change in a job that waits: all but its status and its history.
pub(super) async fn save_content(work: &mut Work<'_>, job: &JobRow) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("queries/save_content.sql"))
        .bind(job.id.as_i64())
        .bind(job.priority)
        .bind(job.max_attempts)
        .bind(micros(job.scheduled_at))
        .bind(array!(job.tags).to_string())
        .bind(job.metadata.clone())
        .bind(job.data.clone())
        .execute(&mut *work.conn)
        .await?;
    Ok(())
}

/// The jobs of one call and what they conflict with, until all of it is stored.
struct Taken {
    inserted: Vec<JobRow>,
    last_id: i64,
    /// For each job of the call that is unique, in order: the stored job in its way.
    conflicts: std::vec::IntoIter<Option<JobId>>,
    /// Places in `inserted` of the jobs with a key.
    by_key: HashMap<UniqueKey, Vec<usize>>,
    /// The stored jobs that are to take something over.
    stored: HashMap<JobId, Stored>,
}

struct Stored {
    row: JobRow,
    is_changed: bool,
}

impl Taken {
    async fn look_up(work: &mut Work<'_>, jobs: &[NewJob]) -> Result<Self, sqlx::Error> {
        let last_id = sqlx::query_scalar(include_str!("queries/find_last_job.sql")).fetch_one(&mut *work.conn).await?;
        let unique: Vec<&Unique> = jobs.iter().filter_map(|job| job.unique.as_ref()).collect();
        let conflicts = if unique.is_empty() { Vec::new() } else { find_conflicts(work, &unique).await? };
        let replaces = |unique: &Unique| matches!(unique.on_conflict, Resolution::Replace(_));
        let replaced = unique.iter().zip(&conflicts).filter(|(unique, _)| replaces(unique));
        let stored = find_replaced(work, replaced.filter_map(|(_, id)| *id).collect()).await?;
        Ok(Self {
            inserted: Vec::with_capacity(jobs.len()),
            last_id,
            conflicts: conflicts.into_iter(),
            by_key: HashMap::new(),
            stored,
        })
    }

    fn take(&mut self, job: &NewJob, now: DateTime<Utc>) -> Enqueued {
        let Some(unique) = &job.unique else { return self.insert(job, now) };
        let stored = self.conflicts.next().flatten();
        // A later job of the same call sees the earlier, and those are the newest.
        let places = self.by_key.get(&unique.key).map(Vec::as_slice).unwrap_or_default();
        let earlier = places.iter().rev().find_map(|place| {
            let row = self.inserted.get_mut(*place)?;
            lifecycle::conflicts(row, unique, now).then_some(*place)
        });
        let (row, is_changed) = match (earlier.and_then(|place| self.inserted.get_mut(place)), stored) {
            (Some(row), _) => (row, &mut true),
            (None, Some(id)) => match self.stored.get_mut(&id) {
                Some(Stored { row, is_changed }) => (row, is_changed),
                None => return Enqueued::Existing(id),
            },
            (None, None) => return self.insert(job, now),
        };
        match unique.on_conflict {
            Resolution::Replace(replace) if lifecycle::replace(row, &replace, job.clone(), now) => {
                *is_changed = true;
                Enqueued::Replaced(row.id)
            }
            _ => Enqueued::Existing(row.id),
        }
    }

    fn insert(&mut self, job: &NewJob, now: DateTime<Utc>) -> Enqueued {
        self.last_id += 1;
        let id = JobId::from(self.last_id);
        if let Some(unique) = &job.unique {
            self.by_key.entry(unique.key).or_default().push(self.inserted.len());
        }
        self.inserted.push(JobRow::new(id, job.clone(), now));
        Enqueued::Inserted(id)
    }
}

/// Before every time that can be stored.
const ALWAYS: i64 = -(1 << 62);

/// The newest stored job in the way of each.
async fn find_conflicts(work: &mut Work<'_>, unique: &[&Unique]) -> Result<Vec<Option<JobId>>, sqlx::Error> {
    let requests = Value::from_iter(unique.iter().map(|unique| {
        let statuses: Vec<&str> = unique.statuses.iter().map(|status| status.as_str()).collect();
        let start = unique.within.and_then(|within| work.now.checked_sub_signed(within));
        array!([hex(unique.key), statuses, start.map_or(ALWAYS, micros)])
    }));
    let find = sqlx::query_scalar(include_str!("queries/find_conflicts.sql")).bind(requests.to_string());
    let ids: Vec<Option<i64>> = find.fetch_all(&mut *work.conn).await?;
    Ok(ids.into_iter().map(|id| id.map(JobId::from)).collect())
}

/// A row that cannot be read takes nothing over: it stands in the way as it is.
async fn find_replaced(work: &mut Work<'_>, ids: Vec<JobId>) -> Result<HashMap<JobId, Stored>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = array!(ids).to_string();
    let rows = sqlx::query(include_str!("queries/find_jobs.sql")).bind(ids).fetch_all(&mut *work.conn).await?;
    let rows = rows.iter().filter_map(|row| row::read(row).ok());
    Ok(rows.map(|row| (row.id, Stored { row, is_changed: false })).collect())
}

fn hex(key: UniqueKey) -> String {
    key.0.iter().map(|byte| format!("{byte:02x}")).collect()
}
