//! Steps and signals.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{AmendError, JobRow, Marks, Result, Signalled, StepChange, StepKind, StepLog, StepRow, lifecycle},
    job::{ExecutorName, JobId, JobStatus, Lease},
};
use serde_json::json;
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    backend::SqliteBackend,
    core::{Commit, Core},
    enqueue::tick_of,
    inspect, queries,
    row::micros,
    store,
    work::Work,
    write,
};

impl StepLog for SqliteBackend {
    fn steps<'a>(&'a self, job: JobId) -> BoxFuture<'a, Result<Vec<StepRow>>> {
        let look = async move |core: &mut Core| {
            let find = sqlx::query(queries::list_steps()).bind(job.as_i64());
            sorted(find.fetch_all(&mut core.conn).await?)
        };
        Box::pin(self.0.writer.run(look))
    }

    fn step<'a>(&'a self, job: JobId, lease: Lease, change: StepChange) -> BoxFuture<'a, Result<Option<StepRow>>> {
        let step = async move |work: &mut Work<'_>| {
            work.open().await?;
            let holds = |row: &JobRow| row.status == JobStatus::Executing && row.lease == lease;
            let Some(row) = write::lock(work, &[job]).await?.pop().filter(holds) else { return Ok(None) };
            let stored = find(work, job, change.kind(), &change.name).await?;
            let step = change.apply(stored, work.now);
            put(work, job, &step).await?;
            mark(work, row).await?;
            Ok(Some(step))
        };
        Box::pin(self.0.writer.write(Commit::Promise, step))
    }

    fn signal<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        name: &'a str,
        value: String,
    ) -> BoxFuture<'a, Result<Signalled, AmendError>> {
        let (executor, name) = (executor.clone(), name.to_owned());
        let step = async move |work: &mut Work<'_>| {
            work.open().await?;
            let Some(mut row) = inspect::find(work, &executor, job).await? else {
                return Ok(Err(AmendError::NotFound(job)));
            };
            let is_due = match lifecycle::signal(&mut row, work.now) {
                Ok(is_due) => is_due,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let stored = find(work, job, StepKind::Wait, &name).await?;
            let (answer, step) = StepRow::signal(stored, &name, value, work.now);
            if let Some(step) = step {
                put(work, job, &step).await?;
                row.marks = row.marks.with(Marks::STEPS);
                row.errors.clear();
                write::store_states(work, &[row]).await?;
                work.due.extend(is_due.then_some(executor));
            }
            Ok(Ok(answer))
        };
        Box::pin(async move { self.0.writer.write(Commit::Promise, step).await? })
    }

    fn fork<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        from: &'a str,
    ) -> BoxFuture<'a, Result<JobId, AmendError>> {
        let (executor, from) = (executor.clone(), from.to_owned());
        let step = async move |work: &mut Work<'_>| {
            work.open().await?;
            let Some(row) = inspect::find(work, &executor, job).await? else {
                return Ok(Err(AmendError::NotFound(job)));
            };
            let new = match lifecycle::forked(&row, work.now) {
                Ok(new) => new,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let listed = sqlx::query(queries::list_steps()).bind(job.as_i64()).fetch_all(&mut *work.conn).await?;
            let steps = sorted(listed)?;
            let Some(place) = StepRow::place_of(&steps, &from) else {
                return Ok(Err(AmendError::NoStep { id: job, step: from }));
            };
            let enqueued = store::store_open(work, &[&new]).await?;
            let id = enqueued.first().ok_or(sqlx::Error::RowNotFound)?.id();
            for step in steps.iter().filter(|step| step.is_before(place)) {
                put(work, id, step).await?;
            }
            for row in write::lock(work, &[id]).await? {
                mark(work, row).await?;
            }
            Ok(Ok(id))
        };
        Box::pin(async move { self.0.writer.write(Commit::Promise, step).await? })
    }
}

/// Notes that a job has steps.
async fn mark(work: &mut Work<'_>, mut row: JobRow) -> Result<(), sqlx::Error> {
    if row.marks.contains(Marks::STEPS) {
        return Ok(());
    }
    row.marks = row.marks.with(Marks::STEPS);
    write::store_states(work, &[row]).await
}

async fn find(work: &mut Work<'_>, job: JobId, kind: StepKind, name: &str) -> Result<Option<StepRow>, sqlx::Error> {
    let find = sqlx::query(queries::find_step()).bind(job.as_i64()).bind(kind.as_str()).bind(name.to_owned());
    find.fetch_optional(&mut *work.conn).await?.as_ref().map(read).transpose()
}

async fn put(work: &mut Work<'_>, job: JobId, step: &StepRow) -> Result<(), sqlx::Error> {
    let put = sqlx::query(queries::store_step()).bind(job.as_i64()).bind(step.kind.as_str()).bind(step.name.clone());
    let put = put.bind(step.place).bind(step.until.map(micros)).bind(step.done_at.map(micros));
    put.bind(step.output.clone()).execute(&mut *work.conn).await.map(drop)
}

/// Deletes the steps of these jobs.
pub(super) async fn delete(work: &mut Work<'_>, jobs: &[JobId]) -> Result<(), sqlx::Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    sqlx::query(queries::delete_steps()).bind(json!(jobs).to_string()).execute(&mut *work.conn).await.map(drop)
}

fn sorted(rows: Vec<SqliteRow>) -> Result<Vec<StepRow>, sqlx::Error> {
    let mut steps = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    StepRow::sort(&mut steps);
    Ok(steps)
}

fn read(row: &SqliteRow) -> Result<StepRow, sqlx::Error> {
    let word: String = row.try_get("kind")?;
    let unknown = || sqlx::Error::Decode(format!("`{word}` is no kind of step").into());
    let kind = StepKind::from_stored(&word).ok_or_else(unknown)?;
    let mut step = StepRow::new(kind, row.try_get::<String, _>("name")?);
    step.place = row.try_get("place")?;
    step.until = row.try_get::<Option<i64>, _>("until_at")?.map(tick_of).transpose()?;
    step.done_at = row.try_get::<Option<i64>, _>("done_at")?.map(tick_of).transpose()?;
    step.output = row.try_get("output")?;
    Ok(step)
}
