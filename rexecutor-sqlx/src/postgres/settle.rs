//! Taking in how runs ended.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{NewJob, Outcome, Result, Settle, Settlement, breaker::BreakerNotice, flows::FlowEnds, lifecycle},
    job::{ExecutorName, JobId, Lease},
};
use sqlx::{PgConnection, Row};

use super::{
    backend::{Database, PgBackend},
    enqueue::executors,
    session::{Progress, apart},
    write::Locked,
};
use crate::common::{Heard, nanos};

impl Settle for PgBackend {
    fn settle<'a>(&'a self, settlements: Arc<[Settlement]>) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
        const WHAT: &str = "could not store outcomes";
        let backend = self.clone();
        Box::pin(apart(WHAT, async move {
            let settled = backend.0.limited(WHAT, backend.0.settle(&settlements)).await?;
            let Settled { refused, due, throttled, ended, flow_ends, breakers, .. } = settled;
            let outdates = !throttled.is_empty() || breakers.iter().any(BreakerNotice::outdates);
            if outdates && let Err(error) = backend.0.limited(WHAT, backend.0.outdate_nodes()).await {
                // Nodes that do not hear of it meet the quota themselves.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "not every node knows that it is to hold back"
                );
            }
            breakers.iter().for_each(BreakerNotice::log);
            backend.0.wake(due);
            backend.0.tell_ends(&ended);
            backend.0.tell_events();
            backend.0.advance_if_any(flow_ends).await;
            Ok(refused)
        }))
    }
}

/// What became of a batch.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) refused: Vec<(JobId, Lease)>,
    /// Whose jobs wait again.
    pub(super) due: BTreeSet<ExecutorName>,
    /// That have ended and that somebody waits for.
    ended: Vec<JobId>,
    /// Of which nothing is to be claimed before these instants.
    throttled: BTreeMap<ExecutorName, DateTime<Utc>>,
    /// What has become of circuit breakers.
    breakers: Vec<BreakerNotice>,
    /// Of which jobs have ended.
    pub(super) flow_ends: FlowEnds,
    /// And of these keys.
    throttled_keys: BTreeMap<(ExecutorName, String), DateTime<Utc>>,
}

impl Database {
    async fn settle(&self, settlements: &[Settlement]) -> sqlx::Result<Settled> {
        // Whether or not this call stores it: it may have been stored by another, or by the job's own transaction.
        let mut flow_ends = FlowEnds::default();
        settlements.iter().for_each(|run| flow_ends.add_settlement(run));
        // What is completed alone stays so if the rest fails; then the whole batch comes again, and this is refused.
        let mut done = HashSet::new();
        // Where somebody listens for events they are told of in the same transaction.
        let is_alone = self.has_settings && !self.controls.is_heard();
        if is_alone {
            let mut session = self.session().await?;
            done = self.complete(&mut session, settlements).await?;
            session.end().await?;
            if done.len() == settlements.len() {
                return Ok(Settled { flow_ends, ..Settled::default() });
            }
        }
        let mut transaction = match self.options.async_settles {
            true => self.begin_unflushed().await?,
            false => self.begin().await?,
        };
        if !is_alone {
            done = self.complete(&mut transaction, settlements).await?;
            self.tell_completed(&mut transaction, done.iter().copied().collect()).await?;
        }
        let rest = settlements.iter().filter(|run| !done.contains(&run.id.as_i64())).collect();
        let mut settled = self.decide(&mut transaction, rest).await?;
        transaction.commit().await?;
        settled.flow_ends.extend(flow_ends);
        Ok(settled)
    }

    /// Decides about each run under its job's lock.
    async fn decide(&self, connection: &mut PgConnection, rest: Vec<&Settlement>) -> sqlx::Result<Settled> {
        if rest.is_empty() {
            return Ok(Settled::default());
        }
        let locked = self.lock_states(connection, rest.iter().map(|run| run.id.as_i64()).collect()).await?;
        let Locked { jobs, unreadable, now } = locked;
        let (mut follow, mut heard): (Vec<NewJob>, Heard<'_>) = (Vec::new(), Vec::new());
        let mut jobs: BTreeMap<JobId, _> = jobs.into_iter().map(|job| (job.id, job)).collect();
        let (mut settled, mut changed, mut deleted) = (Settled::default(), BTreeSet::new(), Vec::new());
        for settlement in rest {
            let Settlement { id, lease, outcome, .. } = settlement;
            let found = jobs.get_mut(id).zip(now);
            let Some(effects) = found.and_then(|(job, now)| lifecycle::settle(job, *lease, outcome, now)) else {
                settled.refused.push((*id, *lease));
                continue;
            };
            if let (Some(until), Some(job)) = (effects.throttled_until, jobs.get(id)) {
                let key = job.extras.group_key.clone().filter(|_| effects.throttles_key);
                let known = match key {
                    Some(key) => settled.throttled_keys.entry((job.executor.clone(), key)).or_insert(until),
                    None => settled.throttled.entry(job.executor.clone()).or_insert(until),
                };
                *known = until.max(*known);
            }
            let verdict = effects.verdict.filter(|verdict| verdict.is_heard(settlement));
            heard.extend(verdict.zip(jobs.get(id)).map(|(verdict, job)| (job.executor.clone(), verdict, settlement)));
            follow.extend_from_slice(jobs.get(id).map_or(&[], |job| lifecycle::follow(job, outcome)));
            match effects.delete {
                true => deleted.push(*id),
                false => drop(changed.insert((*id, effects.wake))),
            }
        }
        let woken = changed.iter().filter(|(_, wake)| *wake).filter_map(|(id, _)| jobs.get(id));
        settled.due = woken.map(|job| job.executor.clone()).collect();
        let changed: Vec<_> = changed.iter().filter_map(|(id, _)| jobs.remove(id)).collect();
        settled.ended.extend(self.store_states(connection, &changed).await?);
        let deleted: Vec<_> = deleted.iter().filter_map(|id| jobs.remove(id)).collect();
        settled.flow_ends = FlowEnds::of(changed.iter().chain(&deleted));
        settled.ended.extend(self.delete_jobs(connection, &deleted).await?);
        if !settled.throttled.is_empty() {
            let executors: Vec<String> = settled.throttled.keys().map(ToString::to_string).collect();
            let until: Vec<DateTime<Utc>> = settled.throttled.values().copied().collect();
            let throttle = self.query(&self.queries.throttle_executors).bind(executors).bind(until);
            throttle.execute(&mut *connection).await?;
        }
        if !settled.throttled_keys.is_empty() {
            let keys = settled.throttled_keys.keys();
            let (executors, keys): (Vec<_>, Vec<_>) = keys.map(|(name, key)| (name.to_string(), key.clone())).unzip();
            let until: Vec<i64> = settled.throttled_keys.values().map(|until| nanos(*until)).collect();
            let throttle = self.query(&self.queries.throttle_keys).bind(executors).bind(keys).bind(until);
            throttle.execute(&mut *connection).await?;
        }
        if let Some(now) = now {
            settled.breakers = self.heed(connection, &heard, now).await?;
            let woken = settled.breakers.iter().filter(|notice| notice.wakes());
            settled.due.extend(woken.map(|notice| notice.executor.clone()));
        }
        if !follow.is_empty() {
            self.insert_rows(connection, &follow, &Progress::default()).await?;
            settled.due.extend(executors(&follow));
        }
        self.quarantine(connection, unreadable).await?;
        Ok(settled)
    }

    /// Completes in one statement what can be, and in one more those that are part of flows; returns the numbers of those jobs.
    async fn complete(&self, connection: &mut PgConnection, settlements: &[Settlement]) -> sqlx::Result<HashSet<i64>> {
        let mut counts: HashMap<JobId, usize> = HashMap::new();
        settlements.iter().for_each(|run| *counts.entry(run.id).or_default() += 1);
        let locations = self.locations.take(settlements.iter().map(|run| (run.id, run.lease)));
        let mut done = HashSet::new();
        for keep in [true, false] {
            // Of a row that is gone nothing can be told.
            if !keep && self.controls.is_heard() {
                continue;
            }
            // A job that is settled twice in one batch is decided on in order.
            let is_ours = |run: &&Settlement| {
                run.outcome == Outcome::complete(keep) && run.flow.is_none() && counts.get(&run.id) == Some(&1)
            };
            let (mut ids, mut leases, mut at) = (Vec::new(), Vec::new(), Vec::new());
            for run in settlements.iter().filter(is_ours) {
                if let Some(location) = locations.get(&(run.id, run.lease)) {
                    ids.push(run.id.as_i64());
                    leases.push(run.lease.0);
                    at.push(&**location);
                }
            }
            if ids.is_empty() {
                continue;
            }
            let query = match keep {
                true => self.query(&self.queries.complete_runs).bind(self.now()),
                false => self.query(&self.queries.delete_runs),
            };
            let query = query.bind(ids).bind(leases).bind(at).bind(self.options.async_settles);
            for row in query.fetch_all(&mut *connection).await? {
                done.insert(row.try_get::<i64, _>("id")?);
            }
        }
        for is_member in [false, true] {
            let (mut ids, mut leases, mut at, mut outputs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for run in settlements.iter().filter(|run| counts.get(&run.id) == Some(&1)) {
                if let Outcome::Complete { keep: true, output, jobs: None, .. } = &run.outcome
                    && run.flow.is_some() == is_member
                    && (output.is_some() || is_member)
                    && let Some(location) = locations.get(&(run.id, run.lease))
                {
                    ids.push(run.id.as_i64());
                    leases.push(run.lease.0);
                    at.push(&**location);
                    outputs.push(output.as_deref());
                }
            }
            if ids.is_empty() {
                continue;
            }
            let sql = if is_member { &self.queries.complete_members } else { &self.queries.complete_with_outputs };
            let query = self.query(sql).bind(self.now()).bind(ids).bind(leases);
            let query = query.bind(at).bind(outputs).bind(self.options.async_settles);
            for row in query.fetch_all(&mut *connection).await? {
                done.insert(row.try_get::<i64, _>("id")?);
            }
        }
        Ok(done)
    }
}
