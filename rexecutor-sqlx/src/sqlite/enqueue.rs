//! Taking in new jobs.
//!
//! Callers that enqueue at the same time share a transaction: each puts its jobs down and waits for the writer, and
//! whoever gets it stores everything that was put down. So a lone caller waits for nobody, and many pay for one commit.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{BackendError, Due, Enqueue, Enqueued, JobRow, NewJob, Result, ScheduleKey, Ticks, lifecycle},
    job::{ExecutorName, JobId, uniqueness_criteria::Resolution},
};
use sqlx::{Sqlite, SqliteConnection, Transaction};
use tokio::sync::oneshot;

use super::{
    SqliteBackend,
    error::failed,
    write::{self, Writer, commit},
};

type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Jobs that wait for the writer.
#[derive(Debug, Default)]
pub(super) struct Gathering(Mutex<Vec<Waiting>>);

/// One caller's jobs.
#[derive(Debug)]
struct Waiting {
    jobs: Vec<NewJob>,
    answer: oneshot::Sender<Result<Vec<Enqueued>>>,
}

impl Gathering {
    fn put(&self, waiting: Waiting) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
    }

    fn take(&self) -> Vec<Waiting> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How many jobs go into one statement.
const CHUNK: usize = 1_000;

impl Enqueue for SqliteBackend {
    fn enqueue(&self, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>>> {
        Box::pin(async move {
            let (answer, mut answered) = oneshot::channel();
            self.0.gathering.put(Waiting { jobs, answer });
            let backend = self.clone();
            // A task of its own: a caller that gives up must not take the others' jobs down with it.
            let mut storing = tokio::spawn(async move { backend.store_gathered().await });
            tokio::select! {
                biased;
                answer = &mut answered => return answer.unwrap_or_else(|_| Err(lost())),
                _ = &mut storing => {}
            }
            answered.await.unwrap_or_else(|_| Err(lost()))
        })
    }

    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>> {
        Box::pin(async move {
            let failed = failed("could not read the schedules");
            let mut writer = self.writer().await;
            let now = self.now();
            let mut last = Vec::with_capacity(schedules.len());
            for key in schedules {
                last.push(last_tick(writer.connection(), key, now).await.map_err(&failed)?);
            }
            Ok(Ticks { now, last })
        })
    }

    fn tick<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        at: DateTime<Utc>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let failed = failed("could not enqueue a tick");
            let mut writer = self.writer().await;
            let mut transaction = writer.begin().await.map_err(&failed)?;
            let query = sqlx::query(include_str!("queries/move_schedule.sql"));
            let query = query.bind(&schedule.0).bind(at.timestamp_micros());
            let is_ours = query.execute(&mut *transaction).await.map_err(&failed)?.rows_affected() > 0;
            let executors = executors(&jobs);
            if is_ours {
                insert(&mut transaction, jobs, self.now()).await.map_err(&failed)?;
            }
            commit(transaction, "could not enqueue a tick").await?;
            drop(writer);
            if is_ours {
                self.ring(&executors);
            }
            Ok(is_ours)
        })
    }
}

fn lost() -> BackendError {
    BackendError::transient("the jobs may not have been stored", "the runtime is ending")
}

/// The last tick of a schedule. Most times it is there, and nothing is written.
async fn last_tick(
    connection: &mut SqliteConnection,
    key: &ScheduleKey,
    now: DateTime<Utc>,
) -> sqlx::Result<DateTime<Utc>> {
    let find = || sqlx::query_scalar::<_, i64>(include_str!("queries/find_schedule.sql")).bind(&key.0);
    let found = match find().fetch_optional(&mut *connection).await? {
        Some(found) => found,
        None => {
            let insert = sqlx::query(include_str!("queries/insert_schedule.sql"));
            insert.bind(&key.0).bind(now.timestamp_micros()).execute(&mut *connection).await?;
            find().fetch_one(connection).await?
        }
    };
    Ok(DateTime::from_timestamp_micros(found).unwrap_or(now))
}

impl SqliteBackend {
    pub(super) fn ring(&self, executors: &BTreeSet<ExecutorName>) {
        for executor in executors {
            self.0.bells.each(|bell| bell.ring(executor));
        }
    }

    /// Stores everything that was put down by the time the writer is free.
    async fn store_gathered(&self) {
        let mut writer = self.writer().await;
        let gathered = self.0.gathering.take();
        if gathered.is_empty() {
            return;
        }
        let all: Vec<NewJob> = gathered.iter().flat_map(|waiting| waiting.jobs.iter().cloned()).collect();
        let executors = executors(&all);
        match self.store(&mut writer, all).await {
            Ok(mut answers) => {
                for Waiting { jobs, answer } in gathered {
                    let rest = answers.split_off(jobs.len().min(answers.len()));
                    let _ = answer.send(Ok(std::mem::replace(&mut answers, rest)));
                }
            }
            // One caller's jobs must not fail the others': each has a transaction of its own.
            Err(_) if gathered.len() > 1 => {
                for Waiting { jobs, answer } in gathered {
                    let _ = answer.send(self.store(&mut writer, jobs).await);
                }
            }
            Err(error) => gathered.into_iter().for_each(|waiting| drop(waiting.answer.send(Err(error_of(&error))))),
        }
        drop(writer);
        self.ring(&executors);
    }

    async fn store(&self, writer: &mut Writer<'_>, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        let failed = failed("could not store jobs");
        let mut transaction = writer.begin().await.map_err(&failed)?;
        let answers = insert(&mut transaction, jobs, self.now()).await.map_err(&failed)?;
        commit(transaction, "could not store jobs").await?;
        Ok(answers)
    }
}

fn executors(jobs: &[NewJob]) -> BTreeSet<ExecutorName> {
    jobs.iter().map(|job| job.executor.clone()).collect()
}

/// Inserts jobs in order: runs of jobs that are not unique together, unique ones one by one.
async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    jobs: Vec<NewJob>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Enqueued>> {
    let mut answers = Vec::with_capacity(jobs.len());
    let mut run: Vec<NewJob> = Vec::new();
    for job in jobs {
        if job.unique.is_some() {
            insert_run(transaction, std::mem::take(&mut run), now, &mut answers).await?;
            answers.push(insert_unique(transaction, job, now).await?);
        } else {
            run.push(job);
            if run.len() == CHUNK {
                insert_run(transaction, std::mem::take(&mut run), now, &mut answers).await?;
            }
        }
    }
    insert_run(transaction, run, now, &mut answers).await?;
    Ok(answers)
}

async fn insert_run(
    connection: &mut SqliteConnection,
    jobs: Vec<NewJob>,
    now: DateTime<Utc>,
    answers: &mut Vec<Enqueued>,
) -> sqlx::Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let jobs: Vec<serde_json::Value> = jobs.into_iter().map(|job| encode(job, now)).collect();
    let query = sqlx::query_scalar(include_str!("queries/insert_jobs.sql"));
    let query = query.bind(serde_json::Value::from(jobs).to_string()).bind(now.timestamp_micros());
    let mut ids: Vec<i64> = query.fetch_all(connection).await?;
    // RETURNING keeps no order; numbers rise in the order of the rows.
    ids.sort_unstable();
    answers.extend(ids.into_iter().map(|id| Enqueued::Inserted(JobId::from(id))));
    Ok(())
}

fn encode(job: NewJob, now: DateTime<Utc>) -> serde_json::Value {
    let hex = |key: [u8; 16]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    serde_json::json!({
        "executor": job.executor.as_str(),
        "max_attempts": job.max_attempts,
        "priority": job.priority,
        "unique_key": job.unique.map(|unique| hex(unique.key.0)),
        "scheduled_at": Due::at(job.due, now).timestamp_micros(),
        "tags": write::tags(&job.tags),
        "metadata": job.metadata,
        "data": job.data,
    })
}

async fn insert_unique(
    transaction: &mut Transaction<'_, Sqlite>,
    job: NewJob,
    now: DateTime<Utc>,
) -> sqlx::Result<Enqueued> {
    let Some(stored) = conflict(transaction, &job, now).await? else {
        let mut answers = Vec::with_capacity(1);
        insert_run(transaction, vec![job], now, &mut answers).await?;
        return answers.pop().ok_or(sqlx::Error::RowNotFound);
    };
    let (id, mut row) = (stored.id, stored);
    let replaced = match job.unique.as_ref().map(|unique| unique.on_conflict) {
        Some(Resolution::Replace(replace)) => lifecycle::replace(&mut row, &replace, job, now),
        _ => false,
    };
    if !replaced {
        return Ok(Enqueued::Existing(id));
    }
    write::store_content(transaction, &row).await?;
    Ok(Enqueued::Replaced(id))
}

/// The newest job in the way. Nobody else can store another meanwhile: this transaction holds the write lock.
async fn conflict(connection: &mut SqliteConnection, job: &NewJob, now: DateTime<Utc>) -> sqlx::Result<Option<JobRow>> {
    let Some(unique) = &job.unique else { return Ok(None) };
    let query = sqlx::query_scalar(include_str!("queries/list_unique.sql")).bind(unique.key.0.as_slice());
    let ids: Vec<i64> = query.fetch_all(&mut *connection).await?;
    for id in ids {
        let found = write::find(connection, JobId::from(id)).await?;
        if let Some(row) = found.filter(|row| lifecycle::conflicts(row, unique, now)) {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// The same error for another caller.
fn error_of(error: &BackendError) -> BackendError {
    let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    match error.is_transient() {
        true => BackendError::transient(error.to_string(), words),
        false => BackendError::permanent(error.to_string(), words),
    }
}
