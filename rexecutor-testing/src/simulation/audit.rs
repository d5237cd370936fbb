//! The backend, and whoever watches what is asked of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, Utc};
use futures::{FutureExt, future::BoxFuture};
use rexecutor::{
    Executor,
    backend::{
        AmendError, AuditLog, Backend, Claim, Claimed, Control, Demand, Ends, Enqueue, Enqueued, Entries, Events,
        Filter, Flows, Heartbeat, History, Inspect, JobChange, JobRow, Maintain, Member, NewJob, Node, Observe,
        Reports, Result, ScheduleKey, Settle, Settlement, StepLog, Streams, Survey, Tick, Ticks, Wakeup, in_micros,
        memory::InMemoryBackend,
    },
    clock::Clock,
    each_role,
    job::{ExecutorName, JobId, Lease, NodeId},
    pruner::PruneSpec,
};

use super::{
    Planted,
    jobs::{Keyed, Scarce},
    mistakes,
    record::Record,
    steps::NODE_TIMEOUT,
    turns::Turns,
};
use crate::TestClock;

/// Of which executor, and of which key of it.
pub(super) type Started = (&'static str, Option<String>);

/// The one backend of a simulation.
#[derive(Debug)]
pub(super) struct Audit {
    memory: InMemoryBackend,
    clock: TestClock,
    pub(super) record: Record,
    pub(super) planted: Option<Planted>,
    /// How many runs of dead nodes a mistake still counts.
    leaked: AtomicUsize,
    /// … for the limit of a key.
    leaked_of_keys: AtomicUsize,
    /// How the keys of the executors that have some take turns.
    pub(super) turns: Mutex<BTreeMap<&'static str, Turns>>,
    /// When jobs of the executors with rates were claimed, of each key if it has one of its own.
    pub(super) started: Mutex<BTreeMap<Started, Vec<DateTime<Utc>>>>,
}

impl Audit {
    pub(super) fn new(clock: TestClock, record: Record, planted: Option<Planted>) -> Self {
        let memory = InMemoryBackend::new().with_clock(clock.clone());
        Self {
            memory,
            clock,
            record,
            planted,
            leaked: AtomicUsize::new(0),
            leaked_of_keys: AtomicUsize::new(0),
            turns: Mutex::default(),
            started: Mutex::default(),
        }
    }

    /// The demands as a backend with the planted mistake hears them.
    fn heard(&self, demands: &Arc<[Demand]>) -> Arc<[Demand]> {
        let [leaked, of_keys] = [&self.leaked, &self.leaked_of_keys].map(|leaked| leaked.load(Ordering::Relaxed));
        let heard = |demand: &Demand| mistakes::heard(self.planted, demand.cluster, leaked, of_keys);
        demands.iter().map(|demand| demand.clone().with_cluster_limits(heard(demand))).collect()
    }

    /// The time by which the backend decides.
    pub(super) fn now(&self) -> DateTime<Utc> {
        in_micros(self.clock.now())
    }

    pub(super) fn memory(&self) -> &InMemoryBackend {
        &self.memory
    }

    /// The schedule of the programs has ticked.
    pub(super) fn ticked(&self, at: DateTime<Utc>) {
        self.record.note(format_args!("tick of {}", at.time()));
        let is_first = {
            let mut known = self.record.known();
            known.ticks.insert(at) || known.was_set_back
        };
        if !is_first {
            self.record.broken(format_args!("the tick of {at} was enqueued again"));
        }
    }

    /// The entry that was added at run time has ticked.
    pub(super) fn hand_ticked(&self, at: DateTime<Utc>) {
        self.record.note(format_args!("tick by hand of {}", at.time()));
        let (is_first, is_paused) = {
            let mut known = self.record.known();
            (known.hand_ticks.insert(at) || known.was_set_back, known.is_hand_paused)
        };
        if !is_first || is_paused {
            self.record.broken(format_args!("the tick by hand of {at}: first {is_first}, paused {is_paused}"));
        }
    }

    /// What is stored.
    pub(super) fn rows(&self) -> Vec<JobRow> {
        self.find(&Filter::All(Vec::new()))
    }

    /// The callbacks of batches, for the mistake of repeating them.
    fn callbacks(&self) -> Vec<JobRow> {
        match self.planted {
            Some(Planted::RepeatsCallbacks) => {
                self.rows().into_iter().filter(|row| row.extras.summary.is_some()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The backend in memory answers at once.
    pub(super) fn find(&self, filter: &Filter) -> Vec<JobRow> {
        self.memory.query(filter, usize::MAX).now_or_never().and_then(Result::ok).unwrap_or_default()
    }

    /// Which of these are members. A claim that asks for nothing changes nothing.
    async fn members(&self, nodes: &[Member]) -> Result<BTreeSet<NodeId>> {
        let mut members = BTreeSet::new();
        for node in nodes.iter().map(|member| member.node) {
            if self.memory.claim(node, [].into()).await?.member {
                members.insert(node);
            }
        }
        Ok(members)
    }
}

macro_rules! audited {
    ($(trait $role:ident {
        $($operation:ident => fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        $(impl $role for Audit {
            $(audited_method! { $method($($argument: $type),*) -> $answer })*
        })*
    };
}

/// A method: what is watched, and all others.
macro_rules! audited_method {
    (enqueue $($rest:tt)*) => {
        fn enqueue<'a>(&'a self, jobs: Vec<NewJob>) -> BoxFuture<'a, Result<Vec<Enqueued>>> {
            Box::pin(async move {
                let answers = self.memory.enqueue(self.taken(&jobs)).await;
                self.check_room(&jobs, answers.is_ok());
                let answers = answers?;
                self.record.note(format_args!("enqueued {answers:?}"));
                jobs.iter().zip(&answers).for_each(|(job, answer)| self.check_call(job, answer.id()));
                self.record.known().stored.extend(answers.iter().map(|answer| answer.id()));
                Ok(answers)
            })
        }
    };
    (tick $($rest:tt)*) => {
        fn tick<'a>(
            &'a self,
            schedule: &'a ScheduleKey,
            tick: Tick,
            jobs: Vec<NewJob>,
        ) -> BoxFuture<'a, Result<bool>> {
            Box::pin(async move {
                let is_first = self.memory.tick(schedule, tick, jobs).await?;
                if is_first {
                    self.ticked(tick.at);
                }
                Ok(is_first)
            })
        }
    };
    (claim $($rest:tt)*) => {
        fn claim<'a>(&'a self, node: NodeId, demands: Arc<[Demand]>) -> BoxFuture<'a, Result<Claimed>> {
            Box::pin(async move {
                let expected = self.expected(node, &demands);
                let claimed = self.memory.claim(node, self.heard(&demands)).await?;
                self.check_claim(node, &expected, &claimed);
                Ok(claimed)
            })
        }
    };
    (settle $($rest:tt)*) => {
        fn settle<'a>(&'a self, settlements: Arc<[Settlement]>) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
            Box::pin(async move {
                let ids = settlements.iter().map(|settlement| settlement.id).collect();
                let before = self.find(&Filter::IdIn(ids));
                let callbacks = self.callbacks();
                let heard = settlements.iter().map(|settlement| self.heard_end(settlement)).collect();
                let refused = self.memory.settle(heard).await?;
                self.check_settled(&before, &settlements, &refused);
                if self.planted == Some(Planted::RepeatsCallbacks) {
                    let again = self.callbacks().split_off(callbacks.len());
                    self.memory.enqueue(again.into_iter().map(mistakes::again).collect()).await?;
                }
                Ok(refused)
            })
        }
    };
    (join $($rest:tt)*) => {
        fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
            Box::pin(async move {
                let member = self.memory.join(node).await?;
                self.record.note(format_args!("{} joins as member {member}", node.label));
                self.record.heard(member);
                self.record.known().labels.insert(member, node.label.clone());
                Ok(member)
            })
        }
    };
    (heartbeat $($rest:tt)*) => {
        fn heartbeat<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<Heartbeat>> {
            self.record.heard(node);
            self.memory.heartbeat(node)
        }
    };
    (leave $($rest:tt)*) => {
        fn leave<'a>(&'a self, node: NodeId) -> BoxFuture<'a, Result<()>> {
            self.record.note(format_args!("member {node} leaves"));
            self.memory.leave(node)
        }
    };
    (rescue $($rest:tt)*) => {
        fn rescue<'a>(&'a self, dead: &'a [Member]) -> BoxFuture<'a, Result<usize>> {
            Box::pin(async move {
                let (before, of_keys) = (self.running(Scarce::NAME), self.running(Keyed::NAME));
                let members = self.members(dead).await?;
                let count = self.memory.rescue(dead).await?;
                let left = self.members(dead).await?;
                members.difference(&left).for_each(|node| self.record.declared_dead(*node, NODE_TIMEOUT));
                if self.planted == Some(Planted::LeaksSlots) {
                    self.leaked.fetch_add(before - self.running(Scarce::NAME), Ordering::Relaxed);
                }
                if self.planted == Some(Planted::LeaksSlotsOfKeys) {
                    self.leaked_of_keys.fetch_add(of_keys - self.running(Keyed::NAME), Ordering::Relaxed);
                }
                if count > 0 {
                    self.record.note(format_args!("{count} jobs are rescued"));
                }
                Ok(count)
            })
        }
    };
    ($method:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $method<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, $answer> {
            self.memory.$method($($argument),*)
        }
    };
}

each_role!(audited);

impl Backend for Audit {
    fn control(&self) -> Option<&dyn Control> {
        self.memory.control()
    }

    fn survey(&self) -> Option<&dyn Survey> {
        self.memory.survey()
    }

    fn entries(&self) -> Option<&dyn Entries> {
        Some(self)
    }

    fn ends(&self) -> Option<&dyn Ends> {
        self.memory.ends()
    }

    fn events(&self) -> Option<&dyn Events> {
        self.memory.events()
    }

    fn reports(&self) -> Option<&dyn Reports> {
        self.memory.reports()
    }

    fn streams(&self) -> Option<&dyn Streams> {
        self.memory.streams()
    }

    fn step_log(&self) -> Option<&dyn StepLog> {
        self.memory.step_log()
    }

    fn history(&self) -> Option<&dyn History> {
        self.memory.history()
    }

    fn flows(&self) -> Option<&dyn Flows> {
        self.memory.flows()
    }

    fn audit_log(&self) -> Option<&dyn AuditLog> {
        self.memory.audit_log()
    }

    fn observe(&self) -> Option<&dyn Observe> {
        self.memory.observe()
    }
}
