//! Taking in new jobs.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{Due, Enqueue, Enqueued, NewJob, Result, ScheduleKey, Tick, Ticks, in_micros},
    job::{ExecutorName, JobId},
};
use sqlx::{
    PgConnection, Postgres, Row,
    postgres::{PgArguments, types::PgInterval},
    query::Query,
};

use super::{
    backend::{Database, PgBackend},
    extras, row,
    session::Progress,
};

/// How many jobs go into one statement: what bounds the memory that a large call takes beside its jobs.
pub(super) const CHUNK: usize = 1_000;

/// How many bytes of data and metadata go into one statement, unless a single job has more: the server takes messages of less
/// than 1 GiB.
pub(super) const CHUNK_BYTES: usize = 8 * 1024 * 1024;

/// Whether these go into one statement.
pub(super) fn are_few(jobs: &[NewJob]) -> bool {
    jobs.len() <= CHUNK && (jobs.len() <= 1 || bytes(jobs) <= CHUNK_BYTES)
}

pub(super) fn bytes(jobs: &[NewJob]) -> usize {
    jobs.iter().map(NewJob::content_bytes).sum()
}

/// How many of the first of these jobs go into one statement: one at least, if there is one.
fn fitting(jobs: &[NewJob]) -> usize {
    let mut bytes = 0;
    let fits = |job: &&NewJob| {
        bytes += job.content_bytes();
        bytes <= CHUNK_BYTES
    };
    jobs.iter().take(CHUNK).take_while(fits).count().max(1).min(jobs.len())
}

type Statement = Query<'static, Postgres, PgArguments>;

impl Enqueue for PgBackend {
    fn enqueue<'a>(&'a self, jobs: Vec<NewJob>) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
        // A unique job may have to wait for another transaction, and must not keep others waiting.
        let is_alone = !are_few(&jobs) || jobs.iter().any(|job| job.unique.is_some());
        Box::pin(async move {
            self.take_places(&jobs).await?;
            match is_alone {
                true => self.store(jobs).await,
                false => self.enqueue_in_group(jobs).await,
            }
        })
    }

    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>> {
        Box::pin(self.0.limited("could not read the schedules", self.0.schedules(schedules)))
    }

    fn tick<'a>(&'a self, schedule: &'a ScheduleKey, tick: Tick, jobs: Vec<NewJob>) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let executors = executors(&jobs);
            let progress = Progress::default();
            let tick = self.0.tick(schedule, tick, jobs, &progress);
            let is_ours = self.0.limited_by(&progress, "could not enqueue a tick", tick).await?;
            if is_ours {
                self.0.wake(executors);
            }
            Ok(is_ours)
        })
    }

    fn rewind<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.0.limited("could not take back a tick", self.0.rewind(schedule, from, to)))
    }
}

pub(super) fn executors(jobs: &[NewJob]) -> BTreeSet<ExecutorName> {
    jobs.iter().map(|job| job.executor.clone()).collect()
}

impl PgBackend {
    /// Stores jobs in a transaction of their own.
    pub(super) async fn store(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        let executors = executors(&jobs);
        let progress = Progress::default();
        let store = self.0.store(jobs, &progress);
        let answers = self.0.limited_by(&progress, "could not store jobs", store).await?;
        self.0.wake_and_tell(executors).await;
        Ok(answers)
    }
}

impl Database {
    pub(super) async fn store(&self, jobs: Vec<NewJob>, progress: &Progress) -> sqlx::Result<Vec<Enqueued>> {
        let is_one_statement = are_few(&jobs) && jobs.iter().all(|job| job.unique.is_none());
        if is_one_statement && self.has_settings {
            // A transaction by itself, in one round trip instead of three.
            let mut session = self.session().await?;
            let ids = self.insert_rows(&mut session, &jobs, progress).await?;
            session.end().await?;
            return Ok(ids.into_iter().map(Enqueued::Inserted).collect());
        }
        let _turn = self.may_wait_for_keys(&jobs).await?;
        let mut transaction = self.begin().await?;
        let answers = self.insert(&mut transaction, jobs, progress).await?;
        transaction.commit().await?;
        Ok(answers)
    }

    async fn schedules(&self, schedules: &[ScheduleKey]) -> sqlx::Result<Ticks> {
        let keys: Vec<String> = schedules.iter().map(|schedule| schedule.0.clone()).collect();
        let mut transaction = self.begin().await?;
        let insert = self.query(&self.queries.insert_schedules).bind(self.now()).bind(keys.clone());
        insert.execute(&mut *transaction).await?;
        let rows = self.query(&self.queries.list_schedules).bind(keys).fetch_all(&mut *transaction).await?;
        let present = self.query(&self.queries.read_clock).bind(self.now()).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        let now = row::instant(&present, "now")?;
        let mut last = std::collections::HashMap::new();
        for stored in &rows {
            last.insert(stored.try_get::<String, _>("key")?, row::instant(stored, "last_tick_at")?);
        }
        let last = schedules.iter().map(|schedule| last.get(&schedule.0).copied().unwrap_or(now)).collect();
        Ok(Ticks::new(now, last))
    }

    async fn tick(
        &self,
        schedule: &ScheduleKey,
        tick: Tick,
        jobs: Vec<NewJob>,
        progress: &Progress,
    ) -> sqlx::Result<bool> {
        let _turn = self.may_wait_for_keys(&jobs).await?;
        let mut transaction = self.begin().await?;
        let query = self.query(&self.queries.move_schedule).bind(schedule.0.clone()).bind(tick.at).bind(tick.local);
        let is_ours = query.execute(&mut *transaction).await?.rows_affected() > 0;
        if is_ours {
            let _ = self.insert(&mut transaction, jobs, progress).await?;
        }
        transaction.commit().await?;
        Ok(is_ours)
    }

    async fn rewind(&self, schedule: &ScheduleKey, from: DateTime<Utc>, to: DateTime<Utc>) -> sqlx::Result<bool> {
        let mut transaction = self.begin().await?;
        let query = self.query(&self.queries.rewind_schedule).bind(schedule.0.clone()).bind(from).bind(to);
        let is_ours = query.execute(&mut *transaction).await?.rows_affected() > 0;
        transaction.commit().await?;
        Ok(is_ours)
    }

    /// Inserts jobs as they are, in order; returns their numbers, which rise in that order.
    pub(super) async fn insert_rows(
        &self,
        connection: &mut PgConnection,
        jobs: &[NewJob],
        progress: &Progress,
    ) -> sqlx::Result<Vec<JobId>> {
        let (mut inserted, mut rest) = (Vec::with_capacity(jobs.len()), jobs);
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at(fitting(rest));
            let query = match chunk {
                [job] if !extras::has_extras(job) => self.insert_one(job),
                [first, ..] if chunk.iter().all(|job| are_alike(first, job)) => self.insert_alike(first, chunk),
                _ => self.insert_each(chunk),
            };
            let mut ids: Vec<i64> = query.fetch_one(&mut *connection).await?.try_get("ids")?;
            // An aggregate keeps no order, and numbers are given in the order of the rows.
            ids.sort_unstable();
            inserted.extend(ids.into_iter().map(JobId::from));
            progress.made();
            rest = later;
        }
        Ok(inserted)
    }

    fn insert_one(&self, job: &NewJob) -> Statement {
        self.query(&self.queries.insert_one)
            .bind(self.now())
            .bind(job.executor.to_string())
            .bind(job.data.clone())
            .bind(job.metadata.clone())
            .bind(i32::from(job.max_attempts))
            .bind(i32::from(job.priority))
            .bind(job.tags.clone())
            .bind(due_at(job))
            .bind(delay(job))
            .bind(job.unique.as_ref().map(|unique| unique.key.0.to_vec()))
    }

    /// Jobs that are like the first.
    fn insert_alike(&self, first: &NewJob, jobs: &[NewJob]) -> Statement {
        self.query(&self.queries.insert_alike)
            .bind(self.now())
            .bind(first.executor.to_string())
            .bind(first.metadata.clone())
            .bind(i32::from(first.max_attempts))
            .bind(i32::from(first.priority))
            .bind(first.tags.clone())
            .bind(due_at(first))
            .bind(delay(first))
            .bind(each(jobs, |job| job.data.as_str()))
    }

    fn insert_each(&self, jobs: &[NewJob]) -> Statement {
        let tags = jobs.iter().map(|job| (!job.tags.is_empty()).then(|| serde_json::json!(job.tags).to_string()));
        self.query(&self.queries.insert_jobs)
            .bind(self.now())
            .bind(each(jobs, |job| job.executor.as_str()))
            .bind(each(jobs, |job| job.data.as_str()))
            .bind(each(jobs, |job| job.metadata.as_deref()))
            .bind(each(jobs, |job| i32::from(job.max_attempts)))
            .bind(each(jobs, |job| i32::from(job.priority)))
            .bind(tags.collect::<Vec<_>>())
            .bind(each(jobs, due_at))
            .bind(each(jobs, delay))
            .bind(each(jobs, |job| job.unique.as_ref().map(|unique| &unique.key.0[..])))
            .bind(each(jobs, extras::extras))
    }
}

/// Whether jobs differ in nothing but their data, and have nothing that few jobs have. Unique ones differ in their keys.
fn are_alike(one: &NewJob, other: &NewJob) -> bool {
    (&one.executor, &one.metadata, one.max_attempts, one.priority)
        == (&other.executor, &other.metadata, other.max_attempts, other.priority)
        && (&one.tags, one.due) == (&other.tags, other.due)
        && other.unique.is_none()
        && !extras::has_extras(other)
}

fn each<'a, T>(jobs: &'a [NewJob], value: impl Fn(&'a NewJob) -> T) -> Vec<T> {
    jobs.iter().map(value).collect()
}

fn due_at(job: &NewJob) -> Option<DateTime<Utc>> {
    match job.due {
        Due::At(at) => Some(in_micros(at)),
        _ => None,
    }
}

fn delay(job: &NewJob) -> Option<PgInterval> {
    match job.due {
        Due::In(delay) => Some(interval(delay.max(TimeDelta::zero()))),
        _ => None,
    }
}

/// Longer times change no answer, and would overflow in SQL: jobs live in the years 1 to 9999, and PostgreSQL's years
/// begin with 4713 BC.
pub(super) fn interval(delta: TimeDelta) -> PgInterval {
    let years = |years: i64| TimeDelta::days(years * 366);
    let delta = delta.clamp(years(-4_000), years(10_000));
    PgInterval { months: 0, days: 0, microseconds: delta.num_microseconds().unwrap_or(i64::MAX) }
}

/// … that is subtracted from the present.
pub(super) fn age(delta: TimeDelta) -> PgInterval {
    interval(delta.min(TimeDelta::days(4_000 * 366)))
}
