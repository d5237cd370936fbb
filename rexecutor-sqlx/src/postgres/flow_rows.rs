//! The rows of flows, and how their jobs stand.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        JobRow,
        flows::{FlowState, StoredFlow},
    },
    batches::BatchSummary,
    job::{ExecutorName, FlowId, JobId, JobStatus},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{backend::Database, row};

/// A flow, and how many of its jobs were complete and not kept.
pub(super) struct FlowRow {
    pub(super) state: FlowState,
    pub(super) gone: i64,
}

impl Database {
    pub(super) async fn insert_flow(&self, connection: &mut PgConnection, flow: &StoredFlow) -> sqlx::Result<FlowId> {
        let insert = self.query(&self.queries.insert_flow).bind(self.now()).bind(flow.watches()).bind(flow.encode());
        insert.fetch_one(connection).await?.try_get("id").map(FlowId)
    }

    /// Locks flows; gives the present, too.
    pub(super) async fn lock_flows(
        &self,
        connection: &mut PgConnection,
        flows: Vec<FlowId>,
    ) -> sqlx::Result<(Vec<FlowRow>, Option<DateTime<Utc>>)> {
        let ids: Vec<i64> = flows.into_iter().map(|flow| flow.0).collect();
        let rows = self.query(&self.queries.lock_flows).bind(self.now()).bind(ids).fetch_all(connection).await?;
        let now = rows.iter().map(|stored| row::instant(stored, "now")).collect::<sqlx::Result<Vec<_>>>()?;
        Ok((rows.iter().map(read).collect::<sqlx::Result<_>>()?, now.into_iter().max()))
    }

    pub(super) async fn find_flow(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
    ) -> sqlx::Result<Option<FlowState>> {
        let find = self.query(&self.queries.find_flow).bind(flow.0);
        let found = find.fetch_optional(&mut *connection).await?;
        let mut rows: Vec<FlowRow> = found.as_ref().map(read).transpose()?.into_iter().collect();
        self.count(connection, &mut rows).await?;
        Ok(rows.pop().map(|row| row.state))
    }

    /// Says of each of these flows how its jobs stand.
    pub(super) async fn count(&self, connection: &mut PgConnection, flows: &mut [FlowRow]) -> sqlx::Result<()> {
        if flows.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = flows.iter().map(|flow| flow.state.id.0).collect();
        let rows = self.query(&self.queries.count_members).bind(ids).fetch_all(&mut *connection).await?;
        for FlowRow { state, gone } in flows {
            state.counts.add(JobStatus::Complete, u64::try_from(*gone).unwrap_or_default());
            for row in &rows {
                if row.try_get::<i64, _>("flow")? == state.id.0 {
                    let status = row.try_get::<&str, _>("status")?.parse();
                    let status = status.map_err(|error| row::broken("status", error))?;
                    state.counts.add(status, u64::try_from(row.try_get::<i64, _>("jobs")?).unwrap_or_default());
                }
            }
            if state.counts.cancelled > 0 && state.flow.has_tasks() {
                let count = self.query(&self.queries.count_skipped).bind(state.id.0);
                let skipped: i64 = count.fetch_one(&mut *connection).await?.try_get("skipped")?;
                state.counts.skipped = u64::try_from(skipped).unwrap_or_default();
            }
            if state.counts.discarded > 0 {
                let most = i64::try_from(BatchSummary::MOST_FAILED).unwrap_or(i64::MAX);
                let failed = self.list_members(connection, state.id, JobStatus::Discarded, None, most).await?;
                state.failed = failed.into_iter().map(|(id, _)| id).collect();
            }
        }
        Ok(())
    }

    pub(super) async fn list_members(
        &self,
        connection: &mut PgConnection,
        flow: FlowId,
        status: JobStatus,
        after: Option<JobId>,
        limit: i64,
    ) -> sqlx::Result<Vec<(JobId, ExecutorName)>> {
        let list = self.query(&self.queries.list_flow_jobs).bind(flow.0).bind(status.as_str());
        let list = list.bind(after.map_or(i64::MIN, JobId::as_i64)).bind(limit);
        let named = |row: &PgRow| {
            let executor = row.try_get::<String, _>("executor")?;
            Ok((JobId::from(row.try_get::<i64, _>("id")?), ExecutorName::from(executor)))
        };
        list.fetch_all(connection).await?.iter().map(named).collect()
    }

    pub(super) async fn store_flow(
        &self,
        connection: &mut PgConnection,
        id: FlowId,
        flow: &StoredFlow,
        is_bare: bool,
    ) -> sqlx::Result<()> {
        let store = self.query(&self.queries.store_flow).bind(id.0).bind(flow.encode()).bind(flow.watches());
        store.bind(flow.finished_at()).bind(is_bare).execute(connection).await.map(drop)
    }

    /// Counts jobs that are complete and are about to be deleted, in their flows.
    pub(super) async fn count_as_gone(&self, connection: &mut PgConnection, jobs: &[JobRow]) -> sqlx::Result<()> {
        let mut gone: BTreeMap<i64, i64> = BTreeMap::new();
        for flow in jobs.iter().filter_map(|job| job.extras.flow) {
            *gone.entry(flow.0).or_default() += 1;
        }
        // In their order, so that two transactions never wait for each other.
        for (flow, jobs) in gone {
            self.query(&self.queries.add_gone).bind(flow).bind(jobs).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Forgets those of these flows that have ended and have no jobs any more.
    pub(super) async fn forget_flows(&self, connection: &mut PgConnection, flows: Vec<i64>) -> sqlx::Result<()> {
        if flows.is_empty() {
            return Ok(());
        }
        self.query(&self.queries.forget_flows).bind(flows).execute(connection).await.map(drop)
    }
}

fn read(stored: &PgRow) -> sqlx::Result<FlowRow> {
    let flow = StoredFlow::decode(stored.try_get("flow")?).map_err(|error| row::broken("flow", error))?;
    let state = FlowState::new(FlowId(stored.try_get("id")?), flow, row::instant(stored, "inserted_at")?);
    Ok(FlowRow { state, gone: stored.try_get("gone")? })
}
