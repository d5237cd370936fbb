//! Flows as a list shows them.

use std::{collections::BTreeMap, time::Duration};

use rexecutor::{
    backend::flows::{FlowsPage, FlowsRequest, ListedFlow, StoredFlow},
    job::{FlowId, JobStatus},
};
use sqlx::{PgConnection, Row};

use super::{backend::Database, row};
use crate::common::rows;

impl Database {
    pub(super) async fn list_flows(&self, request: &FlowsRequest) -> sqlx::Result<FlowsPage> {
        let mut transaction = self.begin_reading(Duration::from_secs(5)).await?;
        let list = self.query(&self.queries.list_flows).bind(self.now()).bind(request.is_open);
        let list = list.bind(request.before.map_or(i64::MAX, |flow| flow.0)).bind(rows(request.limit) + 1);
        let found = list.fetch_all(&mut *transaction).await?;
        let now = row::instant(found.first().ok_or(sqlx::Error::RowNotFound)?, "now")?;
        let mut flows = Vec::with_capacity(found.len());
        for stored in &found {
            let Some(id) = stored.try_get::<Option<i64>, _>("id")? else { continue };
            let flow = StoredFlow::decode(stored.try_get("flow")?).map_err(|error| row::broken("flow", error))?;
            let gone = u64::try_from(stored.try_get::<i64, _>("gone")?).unwrap_or_default();
            flows.push((FlowId(id), flow, row::instant(stored, "inserted_at")?, gone));
        }
        // What has ended says itself what it had come to.
        let open = flows.iter().filter(|(_, flow, ..)| flow.end().is_none()).map(|(id, ..)| id.0).collect();
        let mut counts = self.count_up_to(&mut transaction, open).await?;
        transaction.commit().await?;
        let listed = flows.into_iter().map(|(id, flow, created_at, gone)| {
            ListedFlow::new(id, flow, created_at, gone, counts.remove(&id.0).unwrap_or_default())
        });
        Ok(FlowsPage::new(now, listed.collect(), request.limit))
    }

    /// How many jobs of each status flows have.
    async fn count_up_to(
        &self,
        connection: &mut PgConnection,
        flows: Vec<i64>,
    ) -> sqlx::Result<BTreeMap<i64, Vec<(JobStatus, u64)>>> {
        let mut counts: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        if flows.is_empty() {
            return Ok(counts);
        }
        let count = self.query(&self.queries.count_flow_jobs).bind(flows).bind(rows(FlowsRequest::COUNTED));
        for counted in count.fetch_all(connection).await? {
            let status = counted.try_get::<&str, _>("status")?.parse();
            let status = status.map_err(|error| row::broken("status", error))?;
            let jobs = u64::try_from(counted.try_get::<i64, _>("jobs")?).unwrap_or_default();
            counts.entry(counted.try_get("flow")?).or_default().push((status, jobs));
        }
        Ok(counts)
    }
}
