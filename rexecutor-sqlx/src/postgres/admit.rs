//! The step before a claim: what of the demands the cluster allows, and the claim of that.
//!
//! # Invariants
//!
//! - An executor's limit is declared, and every node is outdated, before the first job is claimed under it: from then on
//!   every claim that begins knows of it.
//! - Of each limited executor one claim at a time decides. It holds the lock until it has committed, and counts after it has
//!   got it, in a statement of its own: so it sees what all before it have claimed, and the tokens that they have taken.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        Bucket, Demand, Held, Pause, Scope,
        admission::{self, Concurrency, Controls},
        rotation::KeyRate,
    },
    job::{ExecutorName, NodeId},
};
use sqlx::{PgConnection, Postgres, Row, Transaction, postgres::PgRow};

use super::{
    backend::Database,
    breakers,
    claim::sort,
    control::{executor, pause},
    error,
    rotate::Round,
    row,
    scan::{By, Found},
    session::{INDEXED, set_local},
};
use crate::common::{PausedTags, declared};

/// How long a claim waits for another one of the same executor, in milliseconds. A node that froze in the middle of one must
/// not keep the others from all else that they could do.
const LOCK_TIMEOUT: &str = "1000";

/// What is stored about executors, and about the whole cluster by its name.
struct Stored {
    controls: HashMap<ExecutorName, Controls>,
    now: DateTime<Utc>,
}

impl Database {
    /// Stores what this node's program declares, before anything is claimed under it.
    pub(super) async fn declare(&self, node: NodeId, demands: &[Demand]) -> sqlx::Result<()> {
        let new = self.controls.undeclared(node, demands);
        if new.is_empty() {
            return Ok(());
        }
        let rows = declared(&new);
        let mut transaction = self.begin().await?;
        let query =
            self.query(&self.queries.declare_limits).bind(node.0).bind(rows.keys().cloned().collect::<Vec<_>>());
        let query = query.bind(each(&rows, |one| one.most)).bind(each(&rows, |one| one.rate.map(|rate| rate.0)));
        let query = query.bind(each(&rows, |one| one.rate.map(|rate| rate.1))).bind(each(&rows, |one| one.per_key));
        let query = query.bind(each(&rows, |one| one.is_ordered)).bind(each(&rows, |one| one.shared.clone()));
        let query = query.bind(each(&rows, |one| one.key_rate.map(|rate| rate.0)));
        let query = query.bind(each(&rows, |one| one.key_rate.map(|rate| rate.1))).bind(each(&rows, |one| one.weighs));
        let query = query.bind(each(&rows, |one| one.aging));
        let stored = query.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        // Else the node is no member, as its claim will tell.
        if stored.len() == rows.len() {
            self.outdate_nodes().await?;
            self.controls.declared(node, new);
        }
        Ok(())
    }

    /// Learns about which executors anything is stored, for this node.
    pub(super) async fn read_controls(&self, node: NodeId) -> sqlx::Result<()> {
        let _turn = self.reading_controls.lock().await;
        self.read_controls_in(self.begin().await?, node).await
    }

    /// … for a node that has just joined, unless somebody is reading them: then its first claim does.
    pub(super) async fn read_controls_on(&self, connection: &mut PgConnection, node: NodeId) -> sqlx::Result<()> {
        match self.reading_controls.try_lock() {
            Ok(_turn) => self.read_controls_in(self.begin_on(connection).await?, node).await,
            Err(_) => Ok(()),
        }
    }

    async fn read_controls_in(&self, mut transaction: Transaction<'_, Postgres>, node: NodeId) -> sqlx::Result<()> {
        self.query(&self.queries.update_node).bind(node.0).execute(&mut *transaction).await?;
        let rows = self.query(&self.queries.list_controls).bind(self.now()).fetch_all(&mut *transaction).await?;
        // That one listens for events has no name.
        let name = |row: &PgRow| row.try_get::<Option<String>, _>("executor").map(|name| name.map(ExecutorName::from));
        let (mut known, mut is_heard) = (HashMap::new(), false);
        for row in &rows {
            match name(row)? {
                Some(executor) => drop(known.insert(executor, row.try_get("is_limited")?)),
                None => is_heard = true,
            }
        }
        self.controls.set(known);
        self.controls.set_heard(is_heard);
        self.controls.set_paused(node, self.find_pause_of(&mut transaction, node).await?.is_some());
        transaction.commit().await
    }

    /// Claims jobs of executors about which something is stored, as far as that allows it.
    pub(super) async fn claim_admitted(&self, node: NodeId, demands: &[Demand]) -> sqlx::Result<Found> {
        let settings = format!("{}; {}", set_local(&INDEXED), set_local(&[("lock_timeout", LOCK_TIMEOUT)]));
        let mut transaction = self.begin_with(&settings).await?;
        let Some(locked) = self.lock_limits(&mut transaction, self.controls.limited(demands)).await? else {
            let held = demands.iter().map(|demand| Held::new(demand.executor.clone(), None)).collect();
            return Ok(Found { held, is_member: true, ..Found::default() });
        };
        let Stored { mut controls, now } = self.find_controls(&mut transaction, demands, &locked).await?;
        if self.controls.is_paused(node)
            && let Some(pause) = self.find_pause_of(&mut transaction, node).await?
        {
            controls.entry(Scope::CLUSTER_NAME).or_default().also_paused(pause, now);
        }
        let tags = match self.controls.is_whole() {
            true => self.heed_tags(&mut transaction).await?,
            false => PausedTags::default(),
        };
        if tags.is_any() {
            controls.entry(Scope::CLUSTER_NAME).or_default().pauses_tags = true;
        }
        let admitted = admission::admit(demands, |executor| controls.get(executor), now);
        let (plain, rotating) = admitted.split();
        let mut found = match plain.is_empty() {
            true => Found::default(),
            false => self.scan(&mut transaction, node, &plain, By::Bytes).await?,
        };
        let again_at = admitted.again_at.into_iter().chain(tags.again_at).min();
        let mut round = Round { again_at, ..Round::default() };
        if !rotating.is_empty() {
            self.claim_in_rotation(&mut transaction, node, &rotating, &mut found, &mut round, now).await?;
        }
        let mut short = std::mem::take(&mut round.short);
        let mut sharing = admitted.sharing(now);
        while let Some((demand, terms)) = sharing.next_demand() {
            let before = found.jobs.len();
            round.stopped = None;
            match terms {
                Some(terms) => {
                    let rotating = [(demand, terms)];
                    self.claim_in_rotation(&mut transaction, node, &rotating, &mut found, &mut round, now).await?;
                }
                None => found.add(self.scan(&mut transaction, node, &[demand], By::Bytes).await?),
            }
            sharing.took(found.jobs.get(before..).unwrap_or_default(), round.stopped);
        }
        short.extend(sharing.short());
        let Round { mut full, mut again_at, .. } = round;
        if !found.is_member && !found.is_outdated {
            // Nothing was admitted: to learn whether the node is a member.
            found.add(self.scan(&mut transaction, node, &[], By::Bytes).await?);
        }
        if self.set_aside(&mut transaction, &tags, &mut found.jobs).await? || tags.has_over {
            // There may be others in their place, or more that are due again.
            found.next_due_in = Some(Duration::ZERO);
        }
        self.mark_trials(&mut transaction, admitted.trials(&mut found.jobs)).await?;
        self.store_spent(&mut transaction, admitted.spent(&found.jobs, now), sharing.served()).await?;
        full.extend(admitted.full(&found.jobs, &short, now));
        if !full.is_empty() && !found.is_outdated {
            let (held, next) = self.find_held(&mut transaction, full).await?;
            (found.held, again_at) = (held, again_at.into_iter().chain(next).min());
        }
        self.quarantine(&mut transaction, found.take_unreadable()).await?;
        self.tell_started(&mut transaction, &found.jobs).await?;
        transaction.commit().await?;
        let is_in_force = |name: &ExecutorName| controls.get(name).is_some_and(|controls| controls.is_in_force(now));
        if !is_in_force(&Scope::CLUSTER_NAME) && !demands.iter().all(|demand| is_in_force(&demand.executor)) {
            // What was to be kept to is over: from here on they are claimed from as all others.
            self.read_controls(node).await?;
        }
        let again_in = again_at.filter(|_| found.is_member).and_then(|at| (at - now).to_std().ok());
        found.next_due_in = found.next_due_in.into_iter().chain(again_in).min();
        sort(&mut found.jobs, demands);
        Ok(found)
    }

    /// Makes sure that no other claim decides about these executors until the transaction ends; `None`: another one has not
    /// ended in time.
    async fn lock_limits(
        &self,
        connection: &mut PgConnection,
        limited: Vec<String>,
    ) -> sqlx::Result<Option<HashSet<ExecutorName>>> {
        if limited.is_empty() {
            return Ok(Some(HashSet::new()));
        }
        match self.query(&self.queries.lock_limits).bind(limited).fetch_all(connection).await {
            Ok(rows) => rows.iter().map(executor).collect::<sqlx::Result<_>>().map(Some),
            Err(error) if error::code(&error).as_deref() == Some("55P03") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is stored about these executors. Of those with a limit that are not locked nothing may be claimed.
    async fn find_controls(
        &self,
        connection: &mut PgConnection,
        demands: &[Demand],
        locked: &HashSet<ExecutorName>,
    ) -> sqlx::Result<Stored> {
        let executors: Vec<String> = demands.iter().map(|demand| demand.executor.to_string()).collect();
        let query = self.query(&self.queries.find_controls).bind(self.now()).bind(executors);
        let mut stored = Stored { controls: HashMap::new(), now: DateTime::<Utc>::MIN_UTC };
        for row in &query.fetch_all(connection).await? {
            stored.now = row::instant(row, "now")?;
            let (executor, mut controls) = (executor(row)?, Controls::default());
            controls.pause = pause(row)?;
            let number = |name: &str| row.try_get::<Option<i64>, _>(name);
            let count = |number: i64| usize::try_from(number).unwrap_or_default();
            let running = number("max_running")?.zip(number("running")?);
            controls.per_key = number("max_per_key")?.map(count);
            controls.ordered = row.try_get("is_ordered")?;
            controls.concurrency = running.map(|(limit, running)| Concurrency::new(count(running), count(limit)));
            let rate = number("rate_interval")?.zip(number("rate_burst")?);
            let key_rate = number("key_rate_interval")?.zip(number("key_rate_burst")?);
            controls.key_rate = key_rate.map(|(interval, burst)| KeyRate::new(interval, burst));
            controls.weighs = row.try_get("weighs")?;
            controls.aging = number("aging")?.map(|micros| Duration::from_micros(micros.unsigned_abs()));
            let rotates =
                controls.per_key.is_some() || controls.ordered || key_rate.is_some() || controls.aging.is_some();
            let shared: Vec<String> = row.try_get("shared")?;
            controls.shared = shared.into_iter().map(ExecutorName::from).collect();
            controls.served = row.try_get("served")?;
            let is_locked = locked.contains(&executor) && controls.shared.iter().all(|name| locked.contains(name));
            controls.breaker = breakers::held(row)?;
            let is_limited = controls.breaker.is_some()
                || running.is_some()
                || rate.is_some()
                || rotates
                || !controls.shared.is_empty();
            if is_limited && !is_locked {
                controls.concurrency = Some(Concurrency::new(0, 0));
            } else if let Some((interval, burst)) = rate {
                controls.bucket = Some(Bucket::new(interval, burst, number("full_at")?));
            }
            // What somebody else wrote must not keep the other executors from being claimed from.
            controls.throttled_until = row::optional_instant(row, "throttled_until").unwrap_or_default();
            stored.controls.insert(executor, controls);
        }
        Ok(stored)
    }

    /// The pause of the node's label, if there is one.
    async fn find_pause_of(&self, connection: &mut PgConnection, node: NodeId) -> sqlx::Result<Option<Pause>> {
        let find = self.query(&self.queries.find_node_pause).bind(node.0);
        find.fetch_optional(connection).await?.as_ref().map_or(Ok(None), pause)
    }

    /// Takes tokens out of the buckets, and stores who was served last of those that share limits.
    async fn store_spent(
        &self,
        connection: &mut PgConnection,
        spent: Vec<(ExecutorName, Bucket)>,
        served: Vec<(ExecutorName, String)>,
    ) -> sqlx::Result<()> {
        if spent.is_empty() && served.is_empty() {
            return Ok(());
        }
        let mut rows: BTreeMap<ExecutorName, (Option<i64>, Option<String>)> = BTreeMap::new();
        spent.into_iter().for_each(|(name, bucket)| rows.entry(name).or_default().0 = Some(bucket.full_at));
        served.into_iter().for_each(|(name, executor)| rows.entry(name).or_default().1 = Some(executor));
        let names: Vec<String> = rows.keys().map(ToString::to_string).collect();
        let (full_at, served): (Vec<_>, Vec<_>) = rows.into_values().unzip();
        let query = self.query(&self.queries.store_tokens).bind(names).bind(full_at).bind(served);
        query.execute(connection).await.map(drop)
    }

    /// Which of these have due jobs, and when the first of the others has one.
    async fn find_held(
        &self,
        connection: &mut PgConnection,
        mut full: Vec<Held>,
    ) -> sqlx::Result<(Vec<Held>, Option<DateTime<Utc>>)> {
        let executors: Vec<String> = full.iter().map(|held| held.executor.to_string()).collect();
        let query = self.query(&self.queries.find_first_due).bind(self.now()).bind(executors);
        let (mut due, mut next) = (HashSet::new(), None);
        for row in &query.fetch_all(connection).await? {
            match row.try_get("is_due")? {
                true => drop(due.insert(executor(row)?)),
                // One that is due at 'infinity' is never due.
                false => next = next.into_iter().chain(row::optional_instant(row, "due_at").ok().flatten()).min(),
            }
        }
        full.retain(|held| due.contains(&held.executor));
        Ok((full, next))
    }
}

fn each<D, T>(rows: &BTreeMap<String, D>, value: impl Fn(&D) -> T) -> Vec<T> {
    rows.values().map(value).collect()
}
