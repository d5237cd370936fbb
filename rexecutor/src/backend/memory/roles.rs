//! The roles of a backend, each a step under one lock.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{backend::InMemoryBackend, store::Store};
use crate::{
    backend::{
        audit::AuditLog,
        breaker::BreakerNotice,
        capabilities::{Backend, Control, Entries, Survey},
        ends::Ends,
        events::Events,
        flows::Flows,
        history::History,
        lifecycle,
        observe::Observe,
        reports::Reports,
        roles::{Claim, Enqueue, Maintain, Settle},
        steps::StepLog,
        streams::Streams,
        wakeup::Wakeup,
    },
    model::{
        Claimed, Demand, Enqueued, ExecutorName, Heartbeat, JobId, Lease, Marks, Member, NewJob, Node, NodeId,
        PruneSpec, Result, ScheduleKey, Settlement, Tick, Ticks, Unserved,
    },
};

/// An answer that is there already. Nothing happens after the call has returned, so nothing is lost by dropping it.
pub(super) fn ready<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl InMemoryBackend {
    pub(super) fn enqueue_all(
        &self,
        store: &mut Store,
        jobs: Vec<NewJob>,
        now: DateTime<Utc>,
    ) -> (Vec<Enqueued>, BTreeSet<ExecutorName>) {
        let executors = jobs.iter().map(|job| job.executor.clone()).collect();
        (jobs.into_iter().map(|job| store.enqueue(job, now)).collect(), executors)
    }

    pub(super) fn wake(&self, executors: impl IntoIterator<Item = ExecutorName>) {
        for executor in executors {
            self.listeners.each(|wakeup| wakeup.wake(&executor));
        }
    }
}

impl Enqueue for InMemoryBackend {
    fn enqueue<'a>(&'a self, jobs: Vec<NewJob>) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
        let (mut store, now) = self.store();
        if let Err(error) = store.check_room(&jobs) {
            return ready(Err(error));
        }
        let (answers, executors) = self.enqueue_all(&mut store, jobs, now);
        drop(store);
        self.wake(executors);
        ready(Ok(answers))
    }

    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>> {
        let (mut store, now) = self.store();
        let last =
            schedules.iter().map(|key| store.schedules.entry(key.clone()).or_insert(Tick::new(now)).at).collect();
        ready(Ok(Ticks::new(now, last)))
    }

    fn tick<'a>(&'a self, schedule: &'a ScheduleKey, tick: Tick, jobs: Vec<NewJob>) -> BoxFuture<'a, Result<bool>> {
        let (mut store, now) = self.store();
        let is_past =
            |last: &Tick| last.at >= tick.at || last.local.zip(tick.local).is_some_and(|(last, local)| last >= local);
        if store.schedules.get(schedule).is_some_and(is_past) {
            return ready(Ok(false));
        }
        store.schedules.insert(schedule.clone(), tick);
        let (_, executors) = self.enqueue_all(&mut store, jobs, now);
        drop(store);
        self.wake(executors);
        ready(Ok(true))
    }

    fn rewind<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<bool>> {
        let (mut store, _) = self.store();
        let last = store.schedules.get_mut(schedule).filter(|last| last.at == from);
        ready(Ok(last.map(|last| *last = Tick::new(to)).is_some()))
    }
}

impl Claim for InMemoryBackend {
    fn claim<'a>(&'a self, node: NodeId, demands: Arc<[Demand]>) -> BoxFuture<'a, Result<Claimed>> {
        let (mut store, now) = self.store();
        let mut claimed = Claimed::nothing(store.nodes.contains_key(&node));
        if !claimed.member || self.is_paused {
            return ready(Ok(claimed));
        }
        store.declare(node, &demands);
        let next_due = if store.is_plain() {
            store.claim(node, &demands, now, &mut claimed.jobs)
        } else {
            let (held, next) = store.claim_admitted(node, &demands, now, &mut claimed.jobs);
            claimed.held = held;
            next
        };
        claimed.next_due_in = next_due.and_then(|at| (at - now).to_std().ok());
        ready(Ok(claimed))
    }

    fn watch<'a>(&'a self, wakeup: Arc<Wakeup>) -> BoxFuture<'a, Result<()>> {
        self.listeners.add(&wakeup);
        if wakeup.is_of_events() {
            // It hears of each event as it is told.
            self.store().0.log.wakeups.add(&wakeup);
        }
        wakeup.watching();
        // Nobody else can change the store, so there is nothing to look for. The future keeps the wakeup alive.
        Box::pin(async move {
            let _bell = wakeup;
            std::future::pending().await
        })
    }
}

impl Settle for InMemoryBackend {
    fn settle<'a>(&'a self, settlements: Arc<[Settlement]>) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
        let (mut store, now) = self.store();
        let mut refused = Vec::new();
        let (mut due, mut notices) = (BTreeSet::new(), Vec::new());
        for settlement in &*settlements {
            let Settlement { id, lease, outcome, .. } = settlement;
            let mut follow: &[NewJob] = &[];
            let (mut key, mut of) = (None, None);
            let settled = store.settle(*id, |row| {
                key.clone_from(&row.extras.group_key);
                let effects = lifecycle::settle(row, *lease, outcome, now)?;
                of = effects.verdict.map(|verdict| (row.executor.clone(), verdict));
                follow = lifecycle::follow(row, outcome);
                Some(effects)
            });
            if !follow.is_empty() {
                due.extend(self.enqueue_all(&mut store, follow.to_vec(), now).1);
            }
            if let Some((executor, verdict)) = of.filter(|(_, verdict)| verdict.is_heard(settlement)) {
                notices.extend(store.heed(&executor, verdict, settlement, now));
            }
            match settled {
                Some((effects, Some(executor))) => {
                    if let Some(until) = effects.throttled_until {
                        store.throttle(&executor, key.filter(|_| effects.throttles_key), until);
                    }
                    due.insert(executor);
                }
                Some(_) => {}
                None => refused.push((*id, *lease)),
            }
        }
        let woken = self.advance_flows(&mut store, now);
        due.extend(woken);
        let ended = std::mem::take(&mut store.ended);
        drop(store);
        due.extend(notices.iter().filter(|notice| notice.wakes()).map(|notice| notice.executor.clone()));
        notices.iter().for_each(BreakerNotice::log);
        self.tell_ends(&ended);
        self.wake(due);
        ready(Ok(refused))
    }
}

impl Maintain for InMemoryBackend {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        let (mut store, now) = self.store();
        let known = store
            .nodes
            .values()
            .map(|joined| joined.seen_at)
            .chain(store.rows.last_key_value().map(|(_, stored)| stored.row.inserted_at));
        let executors = known.max().map(|before| store.set_back(before, now)).unwrap_or_default();
        let node = store.join(node, now);
        drop(store);
        self.wake(executors);
        ready(Ok(node))
    }

    fn heartbeat<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<Heartbeat>> {
        let (mut store, now) = self.store();
        let Some(joined) = store.nodes.get_mut(&node) else {
            return ready(Ok(Heartbeat::of_no_member()));
        };
        joined.member.beats += 1;
        let before = std::mem::replace(&mut joined.seen_at, now);
        let executors = store.set_back(before, now);
        let mut heartbeat = Heartbeat::of_member();
        let members = store.nodes.values().map(|joined| joined.member);
        heartbeat.others = members.filter(|member| member.node != node).collect();
        for row in store.runs(node) {
            heartbeat.add((row.id, row.lease), row.marks.contains(Marks::STOPPING));
        }
        drop(store);
        self.wake(executors);
        ready(Ok(heartbeat))
    }

    fn leave<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<()>> {
        self.store().0.nodes.remove(&node);
        ready(Ok(()))
    }

    fn rescue<'a>(&'a self, dead: &'a [Member]) -> BoxFuture<'a, Result<usize>> {
        let (mut store, now) = self.store();
        let executors = store.rescue(dead, now);
        // Afterwards: a job that its node has lost waits, and its deadline may have come.
        store.expire(now);
        let (woken, ended) = (self.advance_flows(&mut store, now), std::mem::take(&mut store.ended));
        drop(store);
        self.tell_ends(&ended);
        let count = executors.len();
        self.wake(executors.into_iter().chain(woken));
        ready(Ok(count))
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        let (mut store, now) = self.store();
        ready(Ok(store.prune(spec, limit, now)))
    }
}

impl Backend for InMemoryBackend {
    fn control(&self) -> Option<&dyn Control> {
        Some(self)
    }

    fn survey(&self) -> Option<&dyn Survey> {
        Some(self)
    }

    fn entries(&self) -> Option<&dyn Entries> {
        Some(self)
    }

    fn observe(&self) -> Option<&dyn Observe> {
        Some(self)
    }

    fn ends(&self) -> Option<&dyn Ends> {
        Some(self)
    }

    fn events(&self) -> Option<&dyn Events> {
        Some(self)
    }

    fn streams(&self) -> Option<&dyn Streams> {
        Some(self)
    }

    fn reports(&self) -> Option<&dyn Reports> {
        Some(self)
    }

    fn step_log(&self) -> Option<&dyn StepLog> {
        Some(self)
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn flows(&self) -> Option<&dyn Flows> {
        Some(self)
    }

    fn audit_log(&self) -> Option<&dyn AuditLog> {
        Some(self)
    }

    fn is_membership_independent(&self) -> bool {
        true
    }
}

impl Survey for InMemoryBackend {
    fn unserved<'a>(&'a self, node: NodeId, executors: &'a [ExecutorName]) -> BoxFuture<'a, Result<Vec<Unserved>>> {
        let (mut store, now) = self.store();
        let Some(member) = store.nodes.get_mut(&node) else { return ready(Ok(Vec::new())) };
        member.executors = Some(executors.to_vec());
        ready(Ok(store.unserved(now)))
    }
}
