//! What the cluster keeps to: pauses, limits, and a clock that is set back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready, store::Store};
use crate::{
    backend::{
        admission::{self, Admitted, Concurrency, Controls},
        bucket::Bucket,
        capabilities::Control,
        lifecycle,
    },
    model::{ChangedLimits, Demand, ExecutorName, JobId, JobRow, LimitChange, NodeId, Pause, Paused, Result, Scope},
};

/// Under which name a pause of all executors stands.
static WHOLE: ExecutorName = Scope::CLUSTER_NAME;

impl Control for InMemoryBackend {
    fn pause<'a>(&'a self, scope: &'a Scope, pause: Pause) -> BoxFuture<'a, Result<()>> {
        if let Err(error) = pause.check(scope) {
            return ready(Err(error));
        }
        let (mut store, now) = self.store();
        match scope {
            Scope::Node(label) => drop(store.paused_nodes.insert(label.clone(), (now, pause))),
            Scope::Cluster | Scope::Executor(_) => {
                store.controls.insert(scope.name().clone(), (now, Controls::paused(pause)));
            }
        }
        ready(Ok(()))
    }

    fn resume<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool>> {
        let (mut store, now) = self.store();
        let pause = match scope {
            Scope::Node(label) => store.paused_nodes.remove(label).map(|(_, pause)| pause),
            Scope::Cluster | Scope::Executor(_) => {
                store.controls.remove(scope.name()).and_then(|(_, controls)| controls.pause)
            }
        };
        drop(store);
        self.wake([scope.name().clone()]);
        ready(Ok(pause.is_some_and(|pause| pause.holds(now))))
    }

    fn running<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Vec<(ExecutorName, JobId)>>> {
        let (store, _) = self.store();
        ready(Ok(store.running_in(scope)))
    }

    fn set_limits<'a>(
        &'a self,
        executor: &'a ExecutorName,
        change: Option<LimitChange>,
    ) -> BoxFuture<'a, Result<bool>> {
        if let Some(Err(error)) = change.as_ref().map(|change| change.check(executor)) {
            return ready(Err(error));
        }
        let (mut store, now) = self.store();
        let before = match change {
            Some(change) => store.set_limits.insert(executor.clone(), (now, change)),
            None => store.set_limits.remove(executor),
        };
        drop(store);
        self.wake([executor.clone()]);
        ready(Ok(before.is_some()))
    }

    fn limits(&self) -> BoxFuture<'_, Result<Vec<ChangedLimits>>> {
        let (store, _) = self.store();
        let limits = store.set_limits.iter();
        let limits = limits.map(|(name, (since, change))| ChangedLimits::new(name.clone(), *since, change.clone()));
        ready(Ok(limits.collect()))
    }

    fn paused(&self) -> BoxFuture<'_, Result<Vec<Paused>>> {
        let (store, now) = self.store();
        let paused = store.controls.iter().filter_map(|(name, (since, controls))| {
            let pause = controls.pause.as_ref().filter(|pause| pause.holds(now))?;
            Some(Paused::new(Scope::of_name(name.clone()), *since, pause.clone()))
        });
        let nodes = store.paused_nodes.iter().filter(|(_, (_, pause))| pause.holds(now));
        let nodes = nodes.map(|(label, (since, pause))| Paused::new(Scope::Node(label.clone()), *since, pause.clone()));
        ready(Ok(paused.chain(nodes).collect()))
    }
}

impl Store {
    /// What the cluster allows of these demands of a node.
    pub(super) fn admit(&mut self, node: NodeId, demands: &[Demand], now: DateTime<Utc>) -> Admitted {
        self.declared.retain(|(_, node), _| self.nodes.contains_key(node));
        self.throttled.retain(|_, until| now < *until);
        let mut controls: BTreeMap<&ExecutorName, Controls> =
            self.controls.iter().map(|(name, (_, controls))| (name, controls.clone())).collect();
        if let Some((_, pause)) = self.nodes.get(&node).and_then(|joined| self.paused_nodes.get(&joined.label)) {
            controls.entry(&WHOLE).or_default().also_paused(pause.clone(), now);
        }
        for (executor, until) in &self.throttled {
            controls.entry(executor).or_default().throttled_until = Some(*until);
        }
        for ((executor, _), declared) in &self.declared {
            let controls = controls.entry(executor).or_default();
            if let Some(limit) = declared.concurrency {
                let running = controls.concurrency.map_or_else(|| self.running(executor), |known| known.running);
                let strictest = controls.concurrency.map_or(limit, |known| known.limit.min(limit));
                controls.concurrency = Some(Concurrency::new(running, strictest));
            }
            controls.per_key = controls.per_key.into_iter().chain(declared.per_key).min();
            if let Some((interval, burst)) = declared.rate.map(Bucket::numbers) {
                let full_at = self.full_at.get(executor).copied();
                let bucket = controls.bucket.unwrap_or(Bucket::new(interval, burst, full_at));
                controls.bucket = Some(bucket.strictest(interval, burst));
            }
        }
        for (executor, (_, change)) in &self.set_limits {
            let controls = controls.entry(executor).or_default();
            if let Some(limit) = change.limits.concurrency {
                controls.concurrency = Some(Concurrency::new(self.running(executor), limit));
            }
            controls.per_key = change.limits.per_key.or(controls.per_key);
            if let Some((interval, burst)) = change.limits.rate.map(Bucket::numbers) {
                controls.bucket = Some(Bucket::new(interval, burst, self.full_at.get(executor).copied()));
            }
        }
        admission::admit(demands, |executor| controls.get(executor), now)
    }

    /// What is executing there.
    pub(super) fn running_in(&self, scope: &Scope) -> Vec<(ExecutorName, JobId)> {
        let is_meant = |node: NodeId, executor: &ExecutorName| match scope {
            Scope::Cluster => true,
            Scope::Executor(meant) => executor == meant,
            Scope::Node(label) => self.nodes.get(&node).is_some_and(|joined| joined.label == *label),
        };
        let runs = self.indexes.executing().into_iter();
        let runs = runs.filter_map(|(node, id)| Some((self.rows.get(&id)?.row.executor.clone(), node, id)));
        let mut runs: Vec<_> = runs
            .filter(|(executor, node, _)| is_meant(*node, executor))
            .map(|(executor, _, id)| (executor, id))
            .collect();
        runs.sort_unstable_by_key(|(_, id)| *id);
        runs
    }

    /// The clock showed `before` a while ago: if it was set back since, jobs are moved with it. Gives their executors.
    pub(super) fn set_back(&mut self, before: DateTime<Utc>, now: DateTime<Utc>) -> BTreeSet<ExecutorName> {
        if before - now <= lifecycle::SET_BACK {
            return BTreeSet::new();
        }
        tracing::warn!(%before, %now, "the clock was set back: jobs that were due stay so");
        let ids: Vec<JobId> = self.rows().filter(|row| row.status.is_pending()).map(|row| row.id).collect();
        let mut moved = BTreeSet::new();
        for id in ids {
            let set_back = |row: &mut JobRow| lifecycle::set_back(row, before, now).then(|| row.executor.clone());
            moved.extend(self.change(id, set_back).flatten());
        }
        moved
    }
}
