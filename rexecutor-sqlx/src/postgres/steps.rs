//! Steps and signals.

use futures::future::BoxFuture;
use rexecutor::{
    backend::{AmendError, JobRow, Marks, Result, Signalled, StepChange, StepKind, StepLog, StepRow, lifecycle},
    job::{ExecutorName, JobId, JobStatus, Lease},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    backend::{Database, PgBackend},
    row,
    session::Progress,
};

impl StepLog for PgBackend {
    fn steps<'a>(&'a self, job: JobId) -> BoxFuture<'a, Result<Vec<StepRow>>> {
        let work = async move {
            let mut session = self.0.session().await?;
            let steps = self.0.list_steps(&mut session, job).await?;
            session.end().await?;
            Ok(steps)
        };
        Box::pin(self.0.limited("could not read the steps of a job", work))
    }

    fn step<'a>(&'a self, job: JobId, lease: Lease, change: StepChange) -> BoxFuture<'a, Result<Option<StepRow>>> {
        Box::pin(
            async move { self.0.limited("could not record a step", self.0.take_further(job, lease, &change)).await },
        )
    }

    fn signal<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        name: &'a str,
        value: String,
    ) -> BoxFuture<'a, Result<Signalled, AmendError>> {
        Box::pin(async move {
            let work = self.0.take_signal(executor, job, name, value);
            let (answer, is_due) = self.0.limited("could not store a signal", work).await??;
            if is_due {
                self.0.wake_and_tell([executor.clone()].into()).await;
            }
            Ok(answer)
        })
    }

    fn fork<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        from: &'a str,
    ) -> BoxFuture<'a, Result<JobId, AmendError>> {
        Box::pin(async move {
            let id = self.0.limited("could not fork a job", self.0.fork_job(executor, job, from)).await??;
            self.0.wake_and_tell([executor.clone()].into()).await;
            Ok(id)
        })
    }
}

impl Database {
    async fn take_further(&self, job: JobId, lease: Lease, change: &StepChange) -> sqlx::Result<Option<StepRow>> {
        let mut transaction = self.begin().await?;
        let mut locked = self.lock_states(&mut transaction, vec![job.as_i64()]).await?;
        let holds = |row: &JobRow| row.status == JobStatus::Executing && row.lease == lease;
        let found = locked.jobs.pop().filter(holds).zip(locked.now);
        let Some((row, now)) = found else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let step = change.apply(self.find_step(&mut transaction, job, change.kind(), &change.name).await?, now);
        self.store_step(&mut transaction, job, &step).await?;
        self.mark_steps(&mut transaction, row).await?;
        transaction.commit().await?;
        Ok(Some(step))
    }

    async fn take_signal(
        &self,
        executor: &ExecutorName,
        job: JobId,
        name: &str,
        value: String,
    ) -> sqlx::Result<Result<(Signalled, bool), AmendError>> {
        let mut transaction = self.begin().await?;
        let mut locked = self.lock_states(&mut transaction, vec![job.as_i64()]).await?;
        let found = locked.jobs.pop().filter(|row| row.executor == *executor).zip(locked.now);
        let decided = match found {
            None => Err(AmendError::NotFound(job)),
            Some((mut row, now)) => lifecycle::signal(&mut row, now).map(|is_due| (row, now, is_due)),
        };
        let (mut row, now, is_due) = match decided {
            Ok(decided) => decided,
            Err(refusal) => {
                transaction.rollback().await?;
                return Ok(Err(refusal));
            }
        };
        let stored = self.find_step(&mut transaction, job, StepKind::Wait, name).await?;
        let (answer, step) = StepRow::signal(stored, name, value, now);
        let is_due = is_due && step.is_some();
        if let Some(step) = step {
            self.store_step(&mut transaction, job, &step).await?;
            row.marks = row.marks.with(Marks::STEPS);
            self.store_states(&mut transaction, &[row]).await?;
        }
        transaction.commit().await?;
        Ok(Ok((answer, is_due)))
    }

    async fn fork_job(
        &self,
        executor: &ExecutorName,
        job: JobId,
        from: &str,
    ) -> sqlx::Result<Result<JobId, AmendError>> {
        let mut transaction = self.begin().await?;
        let stored = self.lock_jobs(&mut transaction, vec![job.as_i64()]).await?;
        let is_ours = |row: &&PgRow| row.try_get::<&str, _>("executor").is_ok_and(|name| name == executor.as_str());
        let Some(stored) = stored.first().filter(is_ours) else { return Ok(Err(AmendError::NotFound(job))) };
        let new = match lifecycle::forked(&row::job(stored)?, row::instant(stored, "now")?) {
            Ok(new) => new,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let steps = self.list_steps(&mut transaction, job).await?;
        let Some(place) = StepRow::place_of(&steps, from) else {
            return Ok(Err(AmendError::NoStep { id: job, step: from.to_owned() }));
        };
        let inserted = self.insert_rows(&mut transaction, &[new], &Progress::default()).await?;
        let id = inserted.first().copied().ok_or(sqlx::Error::RowNotFound)?;
        for step in steps.iter().filter(|step| step.is_before(place)) {
            self.store_step(&mut transaction, id, step).await?;
        }
        for row in self.lock_states(&mut transaction, vec![id.as_i64()]).await?.jobs {
            self.mark_steps(&mut transaction, row).await?;
        }
        transaction.commit().await?;
        Ok(Ok(id))
    }

    /// Notes that a job has steps.
    async fn mark_steps(&self, connection: &mut PgConnection, mut row: JobRow) -> sqlx::Result<()> {
        if row.marks.contains(Marks::STEPS) {
            return Ok(());
        }
        row.marks = row.marks.with(Marks::STEPS);
        self.store_states(connection, &[row]).await.map(drop)
    }

    async fn list_steps(&self, connection: &mut PgConnection, job: JobId) -> sqlx::Result<Vec<StepRow>> {
        let rows = self.query(&self.queries.list_steps).bind(job.as_i64()).fetch_all(connection).await?;
        let mut steps = rows.iter().map(read).collect::<sqlx::Result<Vec<_>>>()?;
        StepRow::sort(&mut steps);
        Ok(steps)
    }

    async fn find_step(
        &self,
        connection: &mut PgConnection,
        job: JobId,
        kind: StepKind,
        name: &str,
    ) -> sqlx::Result<Option<StepRow>> {
        let find = self.query(&self.queries.find_step).bind(job.as_i64()).bind(kind.as_str()).bind(name.to_owned());
        find.fetch_optional(connection).await?.as_ref().map(read).transpose()
    }

    async fn store_step(&self, connection: &mut PgConnection, job: JobId, step: &StepRow) -> sqlx::Result<()> {
        let query = self
            .query(&self.queries.store_step)
            .bind(job.as_i64())
            .bind(step.kind.as_str())
            .bind(step.name.clone())
            .bind(step.place.and_then(|place| i32::try_from(place).ok()))
            .bind(step.until)
            .bind(step.done_at)
            .bind(step.output.clone());
        query.execute(connection).await.map(drop)
    }

    /// Deletes the steps of these jobs.
    pub(super) async fn delete_steps(&self, connection: &mut PgConnection, jobs: Vec<i64>) -> sqlx::Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        self.query(&self.queries.delete_steps).bind(jobs).execute(connection).await.map(drop)
    }
}

fn read(stored: &PgRow) -> sqlx::Result<StepRow> {
    let word: String = stored.try_get("kind")?;
    let unknown = || sqlx::Error::Decode(format!("`{word}` is no kind of step").into());
    let kind = StepKind::from_stored(&word).ok_or_else(unknown)?;
    let mut step = StepRow::new(kind, stored.try_get::<String, _>("name")?);
    let place: Option<i32> = stored.try_get("place")?;
    step.place = place.and_then(|place| u32::try_from(place).ok());
    step.until = row::optional_instant(stored, "until_at")?;
    step.done_at = row::optional_instant(stored, "done_at")?;
    step.output = stored.try_get("output")?;
    Ok(step)
}
