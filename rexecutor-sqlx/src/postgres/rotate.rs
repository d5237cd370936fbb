//! Claims of executors whose keys are served in rotation.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        Demand, Held,
        rotation::{self, After, MAX_STEPS, Met, Turn, Turns, WINDOW, Walk},
    },
    job::{ExecutorName, JobId, NodeId},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{backend::Database, scan::Found};

impl Database {
    /// Claims jobs of executors that are locked, no more of each key than may run at once; adds those whose due jobs are kept back to
    /// `full`, and returns when there may be more.
    pub(super) async fn claim_in_rotation(
        &self,
        connection: &mut PgConnection,
        node: NodeId,
        rotating: &[(Demand, Turns)],
        found: &mut Found,
        full: &mut Vec<Held>,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Option<DateTime<Utc>>> {
        let (mut walks, mut turns) = (Vec::with_capacity(rotating.len()), Vec::with_capacity(rotating.len()));
        for (demand, how) in rotating {
            let walk = match how {
                Turns::AtOnce(per_key) => self.walk(connection, demand, *per_key).await?,
                _ => self.walk_lines(connection, demand).await?,
            };
            turns.push((demand.executor.clone(), rotation::take(&walk, demand)));
            walks.push(walk);
        }
        let demands: Vec<Demand> = rotating.iter().map(|(demand, _)| demand.clone()).collect();
        let met = self.claim_met(connection, node, &turns, &demands).await?;
        let mut again_at = None;
        for (demand, walk) in demands.iter().zip(&walks) {
            let claimed = met.jobs.iter().filter(|job| job.executor == demand.executor).count();
            again_at = again_at.into_iter().chain(walk.next_at(now)).min();
            match rotation::after(walk, demand, claimed) {
                After::Again => again_at = Some(now),
                After::Held(held) => full.push(held),
                _ => {}
            }
        }
        found.add(met);
        Ok(again_at)
    }

    /// Walks over the keys of an executor that is locked.
    async fn walk(&self, connection: &mut PgConnection, demand: &Demand, per_key: usize) -> sqlx::Result<Walk> {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let query = self.query(&self.queries.walk_keys).bind(self.now()).bind(demand.executor.to_string());
        let query = query.bind(number(demand.limit)).bind(number(per_key)).bind(number(MAX_STEPS));
        let rows = query.bind(number(WINDOW)).fetch_all(connection).await?;
        let mut walk = Walk::default();
        for row in &rows {
            walk.is_partial |= row.try_get::<bool, _>("is_cut")?;
            add(&mut walk, row)?;
        }
        Ok(walk)
    }

    /// Walks over the lines of an executor that is locked.
    async fn walk_lines(&self, connection: &mut PgConnection, demand: &Demand) -> sqlx::Result<Walk> {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let query = self.query(&self.queries.walk_lines).bind(self.now()).bind(demand.executor.to_string());
        let query = query.bind(number(demand.limit)).bind(number(MAX_STEPS)).bind(number(WINDOW));
        let mut walk = Walk::default();
        for row in &query.fetch_all(connection).await? {
            walk.is_idle = row.try_get("is_idle")?;
            let next_in: Option<i64> = row.try_get("next_in")?;
            walk.next_in = next_in.map(|micros| Duration::from_micros(micros.try_into().unwrap_or_default()));
            add(&mut walk, row)?;
        }
        Ok(walk)
    }

    /// Claims what walks have met, and notes which keys were served; also tells whether the node may claim at all.
    async fn claim_met(
        &self,
        connection: &mut PgConnection,
        node: NodeId,
        turns: &[(ExecutorName, Turn)],
        demands: &[Demand],
    ) -> sqlx::Result<Found> {
        let met = || turns.iter().flat_map(|(_, turn)| &turn.jobs);
        let ids: Vec<i64> = met().map(|(id, _)| id.as_i64()).collect();
        let keys: Vec<Option<String>> = met().map(|(_, key)| key.clone()).collect();
        let executors: Vec<String> = turns.iter().map(|(executor, _)| executor.to_string()).collect();
        let served: Vec<Option<String>> = turns.iter().map(|(_, turn)| turn.served.clone()).collect();
        let query = self.query(&self.queries.claim_met).bind(self.now()).bind(node.0).bind(ids).bind(keys);
        let rows = query.bind(executors).bind(served).fetch_all(connection).await?;
        let Some(first) = rows.first() else { return Err(sqlx::Error::RowNotFound) };
        let is_outdated: Option<bool> = first.try_get("is_outdated")?;
        let mut found = self.read(node, &rows, demands)?;
        (found.is_member, found.is_outdated) = (is_outdated.is_some(), is_outdated == Some(true));
        Ok(found)
    }
}

/// Adds a row that a walk has given.
fn add(walk: &mut Walk, row: &PgRow) -> sqlx::Result<()> {
    walk.is_partial |= row.try_get::<bool, _>("is_partial")?;
    walk.stopped_at = row.try_get("stopped_at")?;
    let Some(id) = row.try_get::<Option<i64>, _>("id")? else { return Ok(()) };
    let count = |name: &str| row.try_get::<i64, _>(name).map(|count| usize::try_from(count).unwrap_or_default());
    walk.met.push(Met::new(JobId::from(id), row.try_get("key")?, count("room")?, count("bytes")?));
    Ok(())
}
