//! The rows of flows, and how their jobs stand.

use rexecutor::{
    backend::flows::{FlowState, StoredFlow},
    batches::BatchSummary,
    job::{ExecutorName, FlowId, JobId, JobStatus},
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{enqueue::tick_of, queries, row::micros, work::Work};

pub(super) async fn put(work: &mut Work<'_>, id: FlowId, flow: &StoredFlow, is_bare: bool) -> sqlx::Result<()> {
    let put = sqlx::query(queries::store_flow()).bind(id.0).bind(flow.encode()).bind(flow.watches());
    put.bind(flow.finished_at().map(micros)).bind(is_bare).execute(&mut *work.conn).await.map(drop)
}

/// A flow with the counts of its jobs; also how many of them were complete and not kept.
pub(super) async fn find(conn: &mut SqliteConnection, flow: FlowId) -> sqlx::Result<Option<(FlowState, u64)>> {
    let Some((mut state, gone)) = find_row(conn, flow).await? else { return Ok(None) };
    state.counts.add(JobStatus::Complete, gone);
    let counts = sqlx::query(queries::count_members()).bind(flow.0).fetch_all(&mut *conn).await?;
    for row in &counts {
        let status = row.try_get::<&str, _>("status")?.parse().map_err(|error| broken("status", error))?;
        state.counts.add(status, u64::try_from(row.try_get::<i64, _>("jobs")?).unwrap_or_default());
    }
    if state.counts.cancelled > 0 && state.flow.has_tasks() {
        let count = sqlx::query_scalar::<_, i64>(queries::count_skipped()).bind(flow.0);
        state.counts.skipped = u64::try_from(count.fetch_one(&mut *conn).await?).unwrap_or_default();
    }
    if state.counts.discarded > 0 {
        let most = i64::try_from(BatchSummary::MOST_FAILED).unwrap_or(i64::MAX);
        let failed = members(conn, flow, JobStatus::Discarded, None, most).await?;
        state.failed = failed.into_iter().map(|(id, _)| id).collect();
    }
    Ok(Some((state, gone)))
}

pub(super) async fn find_row(conn: &mut SqliteConnection, flow: FlowId) -> sqlx::Result<Option<(FlowState, u64)>> {
    let found = sqlx::query(queries::find_flow()).bind(flow.0).fetch_optional(conn).await?;
    found.as_ref().map(read).transpose()
}

pub(super) async fn members(
    conn: &mut SqliteConnection,
    flow: FlowId,
    status: JobStatus,
    after: Option<JobId>,
    limit: i64,
) -> sqlx::Result<Vec<(JobId, ExecutorName)>> {
    let list = sqlx::query(queries::list_flow_jobs()).bind(flow.0).bind(status.as_str());
    let list = list.bind(after.map_or(i64::MIN, JobId::as_i64)).bind(limit);
    let named = |row: &SqliteRow| {
        let executor = row.try_get::<String, _>("executor")?;
        Ok((JobId::from(row.try_get::<i64, _>("id")?), ExecutorName::from(executor)))
    };
    list.fetch_all(conn).await?.iter().map(named).collect()
}

fn read(row: &SqliteRow) -> sqlx::Result<(FlowState, u64)> {
    let flow = StoredFlow::decode(row.try_get("flow")?).map_err(|error| broken("flow", error))?;
    let state = FlowState::new(FlowId(row.try_get("id")?), flow, tick_of(row.try_get("inserted_at")?)?);
    Ok((state, u64::try_from(row.try_get::<i64, _>("gone")?).unwrap_or_default()))
}

pub(super) fn broken(column: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() }
}
