//! The rows of tasks.

use rexecutor::{
    backend::flows::{KnownTask, TakenTask, TaskRow, TaskTally, UpstreamTask, result_of},
    job::{ExecutorName, FlowId, JobId, JobStatus},
    workflows::{RunWhen, TaskResult},
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{flow_rows::broken, queries, script::json};

/// Those of a flow's tasks that have these names.
pub(super) async fn known(conn: &mut SqliteConnection, flow: FlowId, names: &[String]) -> sqlx::Result<Vec<KnownTask>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let find = sqlx::query(queries::find_tasks()).bind(flow.0).bind(json(&names)?);
    let known = |row: &SqliteRow| Ok(KnownTask::new(row.try_get::<String, _>("name")?, job_of(row)?, told_of(row)?));
    find.fetch_all(conn).await?.iter().map(known).collect()
}

/// Those of a flow's tasks that have these names, with what they are.
pub(super) async fn taken(conn: &mut SqliteConnection, flow: FlowId, names: &[String]) -> sqlx::Result<Vec<TakenTask>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let find = sqlx::query(queries::find_taken_tasks()).bind(flow.0).bind(json(&names)?);
    let taken = |row: &SqliteRow| {
        let executor = row.try_get::<Option<String>, _>("executor")?.map(ExecutorName::from);
        let content = executor.zip(row.try_get::<Option<String>, _>("data")?);
        let mut task = TakenTask::new(row.try_get::<String, _>("name")?, job_of(row)?, content);
        (task.run_when, task.after) = (run_when_of(row)?, predecessors_of(row)?);
        Ok(task)
    };
    find.fetch_all(conn).await?.iter().map(taken).collect()
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    flow: FlowId,
    after: Option<JobId>,
    limit: i64,
) -> sqlx::Result<Vec<TaskRow>> {
    let list = sqlx::query(queries::list_tasks()).bind(flow.0).bind(after.map_or(i64::MIN, JobId::as_i64));
    list.bind(limit).fetch_all(conn).await?.iter().map(read).collect()
}

pub(super) async fn upstream(conn: &mut SqliteConnection, task: JobId) -> sqlx::Result<Vec<UpstreamTask>> {
    let list = sqlx::query(queries::list_upstream()).bind(task.as_i64());
    list.fetch_all(conn).await?.iter().map(upstream_of).collect()
}

pub(super) async fn find(conn: &mut SqliteConnection, flow: FlowId, name: &str) -> sqlx::Result<Option<UpstreamTask>> {
    let find = sqlx::query(queries::find_task()).bind(flow.0).bind(name);
    find.fetch_optional(conn).await?.as_ref().map(upstream_of).transpose()
}

fn job_of(row: &SqliteRow) -> sqlx::Result<JobId> {
    Ok(JobId::from(row.try_get::<i64, _>("job")?))
}

fn told_of(row: &SqliteRow) -> sqlx::Result<Option<TaskResult>> {
    let told = row.try_get::<Option<i64>, _>("told")?;
    Ok(told.and_then(|told| i16::try_from(told).ok()).and_then(TaskResult::from_stored))
}

pub(super) fn run_when_of(row: &SqliteRow) -> sqlx::Result<RunWhen> {
    let stored = row.try_get::<&str, _>("run_when")?;
    RunWhen::from_stored(stored).ok_or_else(|| broken("run_when", format!("`{stored}` is no such rule")))
}

pub(super) fn tally_of(row: &SqliteRow) -> sqlx::Result<TaskTally> {
    let count = |column| Ok::<_, sqlx::Error>(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default());
    let mut tally = TaskTally::of(count("wanted")?);
    (tally.succeeded, tally.failed, tally.skipped) = (count("succeeded")?, count("failed")?, count("skipped")?);
    Ok(tally)
}

fn status_of(row: &SqliteRow) -> sqlx::Result<Option<JobStatus>> {
    let status = row.try_get::<Option<&str>, _>("status")?.map(str::parse).transpose();
    status.map_err(|error| broken("status", error))
}

fn read(row: &SqliteRow) -> sqlx::Result<TaskRow> {
    let executor = row.try_get::<Option<String>, _>("executor")?.unwrap_or_default();
    let mut task = TaskRow::new(job_of(row)?, ExecutorName::from(executor), row.try_get("name")?);
    task.run_when = run_when_of(row)?;
    task.told = told_of(row)?;
    task.status = status_of(row)?;
    task.is_skipped = row.try_get("is_skipped")?;
    task.after = predecessors_of(row)?;
    Ok(task)
}

fn predecessors_of(row: &SqliteRow) -> sqlx::Result<Vec<JobId>> {
    let predecessors = serde_json::from_str::<Vec<i64>>(row.try_get("predecessors")?);
    let predecessors = predecessors.map_err(|error| broken("predecessors", error))?;
    Ok(predecessors.into_iter().map(JobId::from).collect())
}

fn upstream_of(row: &SqliteRow) -> sqlx::Result<UpstreamTask> {
    let result = match status_of(row)? {
        Some(status) => result_of(status, row.try_get("is_skipped")?),
        None => told_of(row)?,
    };
    Ok(UpstreamTask::new(row.try_get("name")?, job_of(row)?, result, row.try_get("output")?))
}
