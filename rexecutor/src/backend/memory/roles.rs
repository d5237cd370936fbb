//! The five roles of a backend, each a step under one lock.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;

use super::{InMemoryBackend, store::Store};
use crate::{
    backend::{
        AmendError, Claim, Claimed, Demand, Enqueue, Enqueued, Filter, Heartbeat, Inspect, JobChange, JobRow, Maintain,
        NewJob, Node, Result, ScheduleKey, Settle, Settlement, Ticks, Wakeup,
        lifecycle::{self, Fate},
    },
    job::{ExecutorName, JobId, Lease, NodeId},
    pruner::PruneSpec,
};

/// An answer that is there already. Nothing happens after the call has returned, so nothing is lost by dropping it.
fn ready<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl InMemoryBackend {
    fn enqueue_all(
        &self,
        store: &mut Store,
        jobs: Vec<NewJob>,
        now: DateTime<Utc>,
    ) -> (Vec<Enqueued>, BTreeSet<ExecutorName>) {
        let executors = jobs.iter().map(|job| job.executor.clone()).collect();
        (jobs.into_iter().map(|job| store.enqueue(job, now)).collect(), executors)
    }

    fn wake(&self, executors: impl IntoIterator<Item = ExecutorName>) {
        for executor in executors {
            self.listeners.each(|wakeup| wakeup.wake(&executor));
        }
    }
}

impl Enqueue for InMemoryBackend {
    fn enqueue(&self, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>>> {
        let (mut store, now) = self.store();
        let (answers, executors) = self.enqueue_all(&mut store, jobs, now);
        drop(store);
        self.wake(executors);
        ready(Ok(answers))
    }

    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>> {
        let (mut store, now) = self.store();
        let last = schedules.iter().map(|key| *store.schedules.entry(key.clone()).or_insert(now)).collect();
        ready(Ok(Ticks { now, last }))
    }

    fn tick<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        at: DateTime<Utc>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<bool>> {
        let (mut store, now) = self.store();
        if store.schedules.get(schedule).is_some_and(|last| *last >= at) {
            return ready(Ok(false));
        }
        store.schedules.insert(schedule.clone(), at);
        let (_, executors) = self.enqueue_all(&mut store, jobs, now);
        drop(store);
        self.wake(executors);
        ready(Ok(true))
    }
}

impl Claim for InMemoryBackend {
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Demand]) -> BoxFuture<'a, Result<Claimed>> {
        let (mut store, now) = self.store();
        let mut claimed = Claimed { jobs: Vec::new(), next_due_in: None, member: store.nodes.contains_key(&node) };
        if !claimed.member || self.is_paused {
            return ready(Ok(claimed));
        }
        let mut next_due: Option<DateTime<Utc>> = None;
        for Demand { executor, free } in slots {
            let count = store.claim((node, executor.as_str(), *free), now, &mut claimed.jobs);
            if count < *free {
                next_due = next_due.into_iter().chain(store.next_due(executor.as_str(), now)).min();
            }
        }
        claimed.next_due_in = next_due.and_then(|at| (at - now).to_std().ok());
        ready(Ok(claimed))
    }

    fn watch(&self, wakeup: Arc<Wakeup>) -> BoxFuture<'_, Result<()>> {
        self.listeners.add(&wakeup);
        // Nobody else can change the store, so there is nothing to look for. The future keeps the wakeup alive.
        Box::pin(async move {
            let _bell = wakeup;
            std::future::pending().await
        })
    }
}

impl Settle for InMemoryBackend {
    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
        let (mut store, now) = self.store();
        let mut refused = Vec::new();
        let mut due = BTreeSet::new();
        for Settlement { id, lease, outcome } in settlements {
            let stored = store.change(*id, |row| {
                let fate = lifecycle::settle(row, *lease, outcome, now);
                if fate.is_some() && row.status.is_pending() {
                    due.insert(row.executor.clone());
                }
                (fate.is_some(), fate.unwrap_or(Fate::Keep))
            });
            if stored != Some(true) {
                refused.push((*id, *lease));
            }
        }
        drop(store);
        self.wake(due);
        ready(Ok(refused))
    }
}

impl Maintain for InMemoryBackend {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        let (mut store, now) = self.store();
        ready(Ok(store.join(TimeDelta::from_std(node.timeout).unwrap_or(TimeDelta::MAX), now)))
    }

    fn heartbeat(&self, node: NodeId) -> BoxFuture<'_, Result<Heartbeat>> {
        let (mut store, now) = self.store();
        let Some(member) = store.nodes.get_mut(&node) else {
            return ready(Ok(Heartbeat { member: false, runs: Vec::new(), cancelled: Vec::new() }));
        };
        member.seen_at = now;
        let run = |row: &JobRow| (row.id, row.lease);
        let runs = store.runs(node).map(run).collect();
        let cancelled = store.runs(node).filter(|row| row.cancel_reason.is_some()).map(run).collect();
        ready(Ok(Heartbeat { member: true, runs, cancelled }))
    }

    fn leave(&self, node: NodeId) -> BoxFuture<'_, Result<()>> {
        self.store().0.nodes.remove(&node);
        ready(Ok(()))
    }

    fn rescue(&self) -> BoxFuture<'_, Result<usize>> {
        let (mut store, now) = self.store();
        let executors = store.rescue(now);
        drop(store);
        let count = executors.len();
        self.wake(executors);
        ready(Ok(count))
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        let (mut store, now) = self.store();
        ready(Ok(store.prune(spec, limit, now)))
    }
}

impl Inspect for InMemoryBackend {
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>> {
        let (store, now) = self.store();
        ready(Ok(store.rows().filter(|row| filter.matches(row, now)).take(limit).cloned().collect()))
    }

    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        let (mut store, now) = self.store();
        let answer = store.amend(executor, job, |row| lifecycle::cancel(row, reason, now));
        drop(store);
        self.listeners.each(|wakeup| wakeup.cancel(job));
        ready(answer)
    }

    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        let (mut store, now) = self.store();
        let answer = store.amend(executor, job, |row| lifecycle::rerun(row, now));
        drop(store);
        self.wake([executor.clone()]);
        ready(answer)
    }

    fn update<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        change: JobChange,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        let (mut store, _) = self.store();
        let answer = store.amend(executor, job, |row| lifecycle::update(row, change));
        drop(store);
        self.wake([executor.clone()]);
        ready(answer)
    }
}
