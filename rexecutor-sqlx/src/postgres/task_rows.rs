//! The rows of tasks.

use rexecutor::{
    backend::flows::{KnownTask, TakenTask, TaskRow, TaskTally, UpstreamTask, result_of},
    job::{ExecutorName, FlowId, JobId, JobStatus},
    workflows::{RunWhen, TaskResult},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{backend::Database, row};

impl Database {
    /// Those of a flow's tasks that have these names.
    pub(super) async fn known_tasks(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
        names: Vec<String>,
    ) -> sqlx::Result<Vec<KnownTask>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let find = self.query(&self.queries.find_tasks).bind(flow.0).bind(names);
        let known = |row: &PgRow| {
            let told = row.try_get::<Option<i16>, _>("told")?.and_then(TaskResult::from_stored);
            Ok(KnownTask::new(row.try_get::<String, _>("name")?, job_of(row)?, told))
        };
        find.fetch_all(connection).await?.iter().map(known).collect()
    }

    /// Those of a flow's tasks that have these names, with what they are.
    pub(super) async fn taken_tasks(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
        names: Vec<String>,
    ) -> sqlx::Result<Vec<TakenTask>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let find = self.query(&self.queries.find_taken_tasks).bind(flow.0).bind(names);
        let taken = |row: &PgRow| {
            let executor = row.try_get::<Option<String>, _>("executor")?.map(ExecutorName::from);
            let content = executor.zip(row.try_get::<Option<String>, _>("data")?);
            let mut task = TakenTask::new(row.try_get::<String, _>("name")?, job_of(row)?, content);
            (task.run_when, task.after) = (run_when_of(row)?, predecessors_of(row)?);
            Ok(task)
        };
        find.fetch_all(connection).await?.iter().map(taken).collect()
    }

    /// Tasks of these flows that have ended and of which those behind them were not told, some thousand of them.
    pub(super) async fn untold_tasks(&self, flows: &[FlowId]) -> sqlx::Result<Vec<i64>> {
        const MOST: i64 = 10_000;
        let mut session = self.session().await?;
        let flows: Vec<i64> = flows.iter().map(|flow| flow.0).collect();
        let find = self.query(&self.queries.find_untold_tasks).bind(flows).bind(MOST);
        let rows = find.fetch_all(&mut *session).await?;
        session.end().await?;
        rows.iter().map(|row| row.try_get("job")).collect()
    }

    pub(super) async fn list_tasks(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
        after: Option<JobId>,
        limit: i64,
    ) -> sqlx::Result<Vec<TaskRow>> {
        let list = self.query(&self.queries.list_tasks).bind(flow.0).bind(after.map_or(i64::MIN, JobId::as_i64));
        list.bind(limit).fetch_all(connection).await?.iter().map(read).collect()
    }

    pub(super) async fn list_upstream(&self, task: JobId) -> sqlx::Result<Vec<UpstreamTask>> {
        let mut session = self.session().await?;
        let rows = self.query(&self.queries.list_upstream).bind(task.as_i64()).fetch_all(&mut *session).await?;
        session.end().await?;
        rows.iter().map(upstream_of).collect()
    }

    pub(super) async fn find_task(&self, flow: FlowId, name: &str) -> sqlx::Result<Option<UpstreamTask>> {
        let mut session = self.session().await?;
        let find = self.query(&self.queries.find_task).bind(flow.0).bind(name.to_owned());
        let found = find.fetch_optional(&mut *session).await?;
        session.end().await?;
        found.as_ref().map(upstream_of).transpose()
    }
}

fn job_of(row: &PgRow) -> sqlx::Result<JobId> {
    Ok(JobId::from(row.try_get::<i64, _>("job")?))
}

pub(super) fn run_when_of(row: &PgRow) -> sqlx::Result<RunWhen> {
    let stored = row.try_get::<&str, _>("run_when")?;
    RunWhen::from_stored(stored).ok_or_else(|| row::broken("run_when", format!("`{stored}` is no such rule")))
}

pub(super) fn tally_of(row: &PgRow) -> sqlx::Result<TaskTally> {
    let count = |column| Ok::<_, sqlx::Error>(u32::try_from(row.try_get::<i32, _>(column)?).unwrap_or_default());
    let mut tally = TaskTally::of(count("wanted")?);
    (tally.succeeded, tally.failed, tally.skipped) = (count("succeeded")?, count("failed")?, count("skipped")?);
    Ok(tally)
}

fn status_of(row: &PgRow) -> sqlx::Result<Option<JobStatus>> {
    let status = row.try_get::<Option<&str>, _>("status")?.map(str::parse).transpose();
    status.map_err(|error| row::broken("status", error))
}

fn read(row: &PgRow) -> sqlx::Result<TaskRow> {
    let executor = row.try_get::<Option<String>, _>("executor")?.unwrap_or_default();
    let mut task = TaskRow::new(job_of(row)?, ExecutorName::from(executor), row.try_get("name")?);
    task.run_when = run_when_of(row)?;
    task.told = row.try_get::<Option<i16>, _>("told")?.and_then(TaskResult::from_stored);
    task.status = status_of(row)?;
    task.is_skipped = row.try_get("is_skipped")?;
    task.after = predecessors_of(row)?;
    Ok(task)
}

fn predecessors_of(row: &PgRow) -> sqlx::Result<Vec<JobId>> {
    Ok(row.try_get::<Vec<i64>, _>("predecessors")?.into_iter().map(JobId::from).collect())
}

fn upstream_of(row: &PgRow) -> sqlx::Result<UpstreamTask> {
    let told = row.try_get::<Option<i16>, _>("told")?.and_then(TaskResult::from_stored);
    let result = match status_of(row)? {
        Some(status) => result_of(status, row.try_get("is_skipped")?),
        None => told,
    };
    Ok(UpstreamTask::new(row.try_get("name")?, job_of(row)?, result, row.try_get("output")?))
}
