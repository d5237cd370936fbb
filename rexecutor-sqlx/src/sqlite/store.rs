//! Storing new jobs.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Enqueued, JobRow, NewJob},
    job::{JobId, JobStatus, uniqueness_criteria::UniqueKey},
};
use serde_json::{Value, json as value};
use sqlx::Row;

use super::{
    extras::{self, NewExtras, PLAIN_VALUES},
    queries,
    row::micros,
    script::{Script, json},
    unique::{Decided, hex},
    work::Work,
    write,
};

/// The most jobs, and about the most bytes, that one statement inserts.
const CHUNK: (usize, usize) = (1000, 4 << 20);

/// Stores jobs in their order.
pub(super) async fn store(work: &mut Work<'_>, jobs: &[&NewJob]) -> Result<Vec<Enqueued>, sqlx::Error> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    work.due.extend(jobs.iter().map(|job| &job.executor).collect::<BTreeSet<_>>().into_iter().cloned());
    let new: Vec<New<'_>> = jobs.iter().map(|job| New::of(job, work.now)).collect();
    if jobs.iter().all(|job| job.unique.is_none()) && fitting(&new) == new.len() {
        return store_at_once(work, &new).await;
    }
    work.open().await?;
    let (mut answers, mut rest) = (Vec::with_capacity(jobs.len()), jobs);
    while !rest.is_empty() {
        let (some, later) = rest.split_at(copied_at_once(rest));
        answers.extend(decide(work, some).await?);
        rest = later;
    }
    Ok(answers)
}

/// … without committing them with the last statement: others follow in the same transaction.
pub(super) async fn store_open(work: &mut Work<'_>, jobs: &[&NewJob]) -> Result<Vec<Enqueued>, sqlx::Error> {
    work.stay_open();
    store(work, jobs).await
}

/// How many of these jobs, which is at least one, are copied at once to decide about them.
fn copied_at_once(jobs: &[&NewJob]) -> usize {
    let mut bytes = 0;
    let fits = |job: &&&NewJob| {
        bytes += job.content_bytes();
        bytes <= 4 * CHUNK.1
    };
    jobs.iter().take_while(fits).count().max(1)
}

/// Stores jobs some of which something may be in the way of.
async fn decide(work: &mut Work<'_>, jobs: &[&NewJob]) -> Result<Vec<Enqueued>, sqlx::Error> {
    let mut decided = Decided::look_up(work, jobs).await?;
    let answers: Vec<Enqueued> = jobs.iter().map(|job| decided.take(job, work.now)).collect();
    let new: Vec<New<'_>> = decided.inserted().iter().map(|job| New::of_row(job, work.now)).collect();
    let mut rest = new.as_slice();
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(fitting(rest));
        work.run(insert(Script::default(), chunk)?).await?;
        rest = later;
    }
    for job in decided.changed() {
        write::store_content(work, job).await?;
    }
    Ok(answers)
}

/// Stores jobs that nothing can be in the way of, in one hand-over from the transaction's begin to its commit.
async fn store_at_once(work: &mut Work<'_>, jobs: &[New<'_>]) -> Result<Vec<Enqueued>, sqlx::Error> {
    let script = Script::default().then(queries::find_last_job());
    let answers = work.finish_untold(insert(script, jobs)?).await?;
    let last_id: i64 = match answers.first().and_then(|answer| answer.rows.first()) {
        Some(row) => row.try_get(0)?,
        None => return Err(sqlx::Error::RowNotFound),
    };
    let ids = (last_id + 1..).take(jobs.len());
    Ok(ids.map(|id| Enqueued::Inserted(JobId::from(id))).collect())
}

/// What is stored of a new job.
pub(super) struct New<'j> {
    executor: &'j str,
    priority: u16,
    scheduled_at: i64,
    max_attempts: u16,
    inserted_at: i64,
    unique_key: Option<UniqueKey>,
    tags: &'j [String],
    metadata: Option<&'j str>,
    data: &'j str,
    extras: Option<NewExtras<'j>>,
}

impl<'j> New<'j> {
    pub(super) fn of(job: &'j NewJob, now: DateTime<Utc>) -> Self {
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
            extras: NewExtras::of(job.blocked, &job.extras, job.content_bytes(), now),
        }
    }

    fn of_row(job: &'j JobRow, now: DateTime<Utc>) -> Self {
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
            extras: NewExtras::of(job.status == JobStatus::Blocked, &job.extras, job.content_bytes(), now),
        }
    }

    /// Whether they are plain jobs that differ in nothing but their data.
    fn are_alike(&self, other: &Self) -> bool {
        let all_but_data = |job: &Self| {
            let Self {
                executor, priority, scheduled_at, max_attempts, inserted_at, unique_key, tags, metadata, ..
            } = *job;
            (executor, priority, scheduled_at, max_attempts, inserted_at, unique_key, tags, metadata)
        };
        self.extras.is_none() && other.extras.is_none() && all_but_data(self) == all_but_data(other)
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
        [first, others @ ..] if first.extras.is_none() && others.iter().all(|job| job.are_alike(first)) => script
            .then(queries::insert_alike())
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
            let have_extras = jobs.iter().any(|job| job.extras.is_some());
            let statement = if have_extras { &extras::INSERT } else { &extras::INSERT_PLAIN };
            let rows = jobs.iter().map(|job| row(job, have_extras)).collect::<Result<Vec<_>, _>>()?;
            script.then(statement).bind(json(&rows)?)
        }
    }
}

/// What `insert_jobs.sql` takes of a job.
pub(super) fn row(job: &New<'_>, with_extras: bool) -> Result<Vec<Value>, sqlx::Error> {
    let New { executor, priority, scheduled_at, max_attempts, inserted_at, metadata, data, .. } = *job;
    let (key, tags) = (job.unique_key.map(hex), json(&job.tags)?);
    let plain: [Value; PLAIN_VALUES] = [
        value!(executor),
        value!(priority),
        value!(scheduled_at),
        value!(max_attempts),
        value!(inserted_at),
        value!(key),
        value!(tags),
        value!(metadata),
        value!(data),
    ];
    let extras = with_extras.then(|| NewExtras::values_of(job.extras.as_ref())).into_iter().flatten();
    Ok(plain.into_iter().chain(extras).collect())
}
