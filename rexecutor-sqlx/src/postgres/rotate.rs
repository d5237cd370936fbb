//! Claims of executors whose jobs are taken one by one.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        Bucket, Demand, Held,
        rotation::{self, After, KeyBucket, MAX_STEPS, Met, Stopped, Terms, Turn, Turns, WINDOW, Walk},
    },
    job::{ExecutorName, JobId, NodeId},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{backend::Database, scan::Found};
use crate::common::{aging_micros, instant_of_nanos, nanos};

/// What claims say beside the jobs.
#[derive(Default)]
pub(super) struct Round {
    /// Whose due jobs are kept back.
    pub(super) full: Vec<Held>,
    /// When there may be more.
    pub(super) again_at: Option<DateTime<Utc>>,
    /// Those that had too few tokens for the next job, which has this weight.
    pub(super) short: BTreeMap<ExecutorName, u32>,
    /// By what the last one was stopped, if it was.
    pub(super) stopped: Option<Stopped>,
}

impl Round {
    fn look_again(&mut self, at: Option<DateTime<Utc>>) {
        self.again_at = self.again_at.into_iter().chain(at).min();
    }
}

impl Database {
    /// Claims jobs of executors that are locked, on these terms.
    pub(super) async fn claim_in_rotation(
        &self,
        connection: &mut PgConnection,
        node: NodeId,
        rotating: &[(Demand, Terms)],
        found: &mut Found,
        round: &mut Round,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let (mut walks, mut turns) = (Vec::with_capacity(rotating.len()), Vec::with_capacity(rotating.len()));
        for (demand, terms) in rotating {
            let walk = match terms.turns {
                Turns::AtOnce(_) => self.walk(connection, demand, terms).await?,
                Turns::InOrder => self.walk_lines(connection, demand, terms).await?,
                _ => self.walk_queue(connection, demand, terms).await?,
            };
            turns.push((demand.executor.clone(), rotation::take(&walk, demand, terms, now)));
            walks.push(walk);
        }
        let demands: Vec<Demand> = rotating.iter().map(|(demand, _)| demand.clone()).collect();
        let met = self.claim_met(connection, node, &turns, &demands).await?;
        for (((demand, terms), walk), (executor, turn)) in rotating.iter().zip(&walks).zip(&turns) {
            if !met.is_outdated {
                self.store_key_tokens(connection, executor, terms, turn, now).await?;
            }
            let claimed = met.jobs.iter().filter(|job| job.executor == demand.executor).count();
            round.look_again(rotation::next_at(walk, terms, turn, now));
            round.stopped = turn.stopped;
            if let Some(Stopped::ByTokens(weight)) = turn.stopped {
                round.short.insert(executor.clone(), weight);
            }
            match rotation::after(walk, demand, terms, turn, claimed) {
                After::Again => round.again_at = Some(now),
                After::Held(held) => round.full.push(held),
                _ => {}
            }
        }
        found.add(met);
        Ok(())
    }

    /// Walks over the keys of an executor that is locked.
    async fn walk(&self, connection: &mut PgConnection, demand: &Demand, terms: &Terms) -> sqlx::Result<Walk> {
        let Turns::AtOnce(per_key) = terms.turns else { return Ok(Walk::default()) };
        let (sql, rate) = match terms.key_rate {
            Some(rate) => (&self.queries.rated.walk_keys, Some(rate)),
            None => (&self.queries.walk_keys, None),
        };
        let query = self.query(sql).bind(self.now()).bind(demand.executor.to_string());
        let query = query.bind(number(demand.limit)).bind(number(per_key)).bind(number(MAX_STEPS)).bind(number(WINDOW));
        let query = match rate {
            Some(rate) => query.bind(rate.interval).bind(rate.burst),
            None => query,
        };
        let rows = query.fetch_all(connection).await?;
        let mut walk = Walk::default();
        for row in &rows {
            walk.is_partial |= row.try_get::<bool, _>("is_cut")?;
            if rate.is_some() {
                walk.is_idle = row.try_get("is_idle")?;
                walk.next_in = next_in(row)?;
            }
            add(&mut walk, row)?;
        }
        Ok(walk)
    }

    /// Walks over the lines of an executor that is locked.
    async fn walk_lines(&self, connection: &mut PgConnection, demand: &Demand, terms: &Terms) -> sqlx::Result<Walk> {
        let sql = if terms.key_rate.is_some() { &self.queries.rated.walk_lines } else { &self.queries.walk_lines };
        let query = self.query(sql).bind(self.now()).bind(demand.executor.to_string());
        let query = query.bind(number(demand.limit)).bind(number(MAX_STEPS)).bind(number(WINDOW));
        let query = match terms.key_rate {
            Some(rate) => query.bind(rate.interval).bind(rate.burst),
            None => query,
        };
        let mut walk = Walk::default();
        for row in &query.fetch_all(connection).await? {
            walk.is_idle = row.try_get("is_idle")?;
            walk.next_in = next_in(row)?;
            add(&mut walk, row)?;
        }
        Ok(walk)
    }

    /// Looks at the head of the queue of an executor that is locked.
    async fn walk_queue(&self, connection: &mut PgConnection, demand: &Demand, terms: &Terms) -> sqlx::Result<Walk> {
        let query = self.query(&self.queries.walk_queue).bind(self.now()).bind(demand.executor.to_string());
        let aging = terms.aging.map(aging_micros);
        let query = query.bind(number(demand.limit)).bind(number(MAX_STEPS)).bind(aging);
        let mut walk = Walk::default();
        for row in &query.fetch_all(connection).await? {
            walk.met.extend(met(row, usize::MAX)?);
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

    /// Takes tokens out of the buckets of keys, if they have any.
    async fn store_key_tokens(
        &self,
        connection: &mut PgConnection,
        executor: &ExecutorName,
        terms: &Terms,
        turn: &Turn,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let Some(rate) = terms.key_rate else { return Ok(()) };
        let (keys, full_at): (Vec<String>, Vec<i64>) = turn.spent.iter().cloned().unzip();
        let empty = Bucket::new(rate.interval, rate.burst, Some(i64::MAX)).at_least_empty(now);
        let query = self.query(&self.queries.store_key_tokens).bind(executor.to_string()).bind(keys).bind(full_at);
        query.bind(nanos(now)).bind(empty.full_at).execute(connection).await.map(drop)
    }
}

fn number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn next_in(row: &PgRow) -> sqlx::Result<Option<Duration>> {
    let micros: Option<i64> = row.try_get("next_in")?;
    Ok(micros.map(|micros| Duration::from_micros(micros.try_into().unwrap_or_default())))
}

/// Adds a row that a walk has given.
fn add(walk: &mut Walk, row: &PgRow) -> sqlx::Result<()> {
    walk.is_partial |= row.try_get::<bool, _>("is_partial")?;
    walk.stopped_at = row.try_get("stopped_at")?;
    let room = row.try_get::<Option<i64>, _>("room")?.unwrap_or_default();
    let Some(met) = met(row, usize::try_from(room).unwrap_or_default())? else { return Ok(()) };
    let (full_at, held_until) =
        (row.try_get::<Option<i64>, _>("full_at")?, row.try_get::<Option<i64>, _>("held_until")?);
    if let (Some(key), true) = (&met.key, full_at.is_some()) {
        walk.keys.insert(key.clone(), KeyBucket::new(full_at, held_until.and_then(instant_of_nanos)));
    }
    walk.met.push(met);
    Ok(())
}

/// The job in a row, if there is one.
fn met(row: &PgRow, room: usize) -> sqlx::Result<Option<Met>> {
    let Some(id) = row.try_get::<Option<i64>, _>("id")? else { return Ok(None) };
    let bytes = usize::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or_default();
    let weight = u32::try_from(row.try_get::<i64, _>("weight")?).unwrap_or(u32::MAX);
    Ok(Some(Met::new(JobId::from(id), row.try_get("key")?, room, bytes).with_weight(weight)))
}
