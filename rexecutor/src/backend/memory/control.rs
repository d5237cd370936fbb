//! What the cluster keeps to: pauses, limits, and a clock that is set back.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, roles::ready, store::Store};
use crate::{
    backend::{admission::Controls, capabilities::Control, lifecycle},
    model::{ChangedLimits, ExecutorName, JobId, JobRow, LimitChange, NodeId, Pause, Paused, Result, Scope},
};

impl Control for InMemoryBackend {
    fn pause<'a>(&'a self, scope: &'a Scope, pause: Pause) -> BoxFuture<'a, Result<()>> {
        if let Err(error) = pause.check(scope) {
            return ready(Err(error));
        }
        let (mut store, now) = self.store();
        store.log.tell_pause(now, scope, Some(&pause));
        match scope {
            Scope::Node(label) => drop(store.paused_nodes.insert(label.clone(), (now, pause))),
            Scope::Tag(tag) => store.pause_tag(tag, pause, now),
            Scope::Cluster | Scope::Executor(_) => {
                store.controls.insert(scope.name().clone(), (now, Controls::paused(pause)));
            }
        }
        ready(Ok(()))
    }

    fn resume<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool>> {
        let (mut store, now) = self.store();
        let was_open = matches!(scope, Scope::Executor(_)) && store.close_breaker(scope.name());
        let was_paused = matches!(scope, Scope::Tag(tag) if store.resume_tag(tag, now));
        let pause = match scope {
            Scope::Tag(_) => None,
            Scope::Node(label) => store.paused_nodes.remove(label).map(|(_, pause)| pause),
            Scope::Cluster | Scope::Executor(_) => {
                store.controls.remove(scope.name()).and_then(|(_, controls)| controls.pause)
            }
        };
        let was_paused = was_open || was_paused || pause.is_some_and(|pause| pause.holds(now));
        if was_paused {
            store.log.tell_pause(now, scope, None);
        }
        drop(store);
        self.wake([scope.name().clone()]);
        ready(Ok(was_paused))
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
        ready(Ok(paused.chain(nodes).chain(store.tag_pauses(now)).collect()))
    }
}

impl Store {
    /// What is executing there.
    pub(super) fn running_in(&self, scope: &Scope) -> Vec<(ExecutorName, JobId)> {
        if let Scope::Tag(tag) = scope {
            return self.running_with(tag);
        }
        let is_meant = |node: NodeId, executor: &ExecutorName| match scope {
            Scope::Cluster => true,
            Scope::Tag(_) => false,
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
        let mut moved: BTreeSet<ExecutorName> = self.throttled.keys().cloned().collect();
        self.throttled.values_mut().for_each(|until| *until = lifecycle::set_back_throttle(*until, before, now));
        for (executor, breaker) in &mut self.breakers {
            if breaker.set_back(before, now) {
                moved.insert(executor.clone());
            }
        }
        for ((executor, _), kept) in &mut self.key_buckets {
            if let Some(until) = &mut kept.held_until {
                *until = lifecycle::set_back_throttle(*until, before, now);
                moved.insert(executor.clone());
            }
        }
        for id in ids {
            let set_back = |row: &mut JobRow| lifecycle::set_back(row, before, now).then(|| row.executor.clone());
            moved.extend(self.change(id, set_back).flatten());
        }
        moved
    }
}
