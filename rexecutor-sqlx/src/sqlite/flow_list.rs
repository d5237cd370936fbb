//! Flows as a list shows them.

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::flows::{FlowsPage, FlowsRequest, ListedFlow, StoredFlow},
    job::{FlowId, JobStatus},
};
use sqlx::{Row, SqliteConnection};

use super::{queries, row::instant_of};
use crate::common::rows;

pub(super) async fn list(
    conn: &mut SqliteConnection,
    request: &FlowsRequest,
    now: DateTime<Utc>,
) -> sqlx::Result<FlowsPage> {
    let list = sqlx::query(queries::list_flows()).bind(request.is_open);
    let list = list.bind(request.before.map_or(i64::MAX, |flow| flow.0)).bind(rows(request.limit) + 1);
    let found = list.fetch_all(&mut *conn).await?;
    let mut listed = Vec::with_capacity(found.len());
    for stored in &found {
        let id: i64 = stored.try_get("id")?;
        let flow = StoredFlow::decode(stored.try_get("flow")?).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let created_at = instant_of(stored.try_get("inserted_at")?, "inserted_at").map_err(sqlx::Error::Decode)?;
        let gone = u64::try_from(stored.try_get::<i64, _>("gone")?).unwrap_or_default();
        let mut counted = Vec::new();
        // What has ended says itself what it had come to.
        if flow.end().is_none() {
            for status in JobStatus::ALL.iter().copied() {
                let count = sqlx::query_scalar::<_, i64>(queries::count_flow_jobs()).bind(id).bind(status.as_str());
                let jobs = count.bind(rows(FlowsRequest::COUNTED)).fetch_one(&mut *conn).await?;
                counted.push((status, u64::try_from(jobs).unwrap_or_default()));
            }
        }
        listed.push(ListedFlow::new(FlowId(id), flow, created_at, gone, counted));
    }
    Ok(FlowsPage::new(now, listed, request.limit))
}
