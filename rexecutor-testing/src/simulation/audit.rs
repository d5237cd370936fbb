//! The backend, and whoever watches what is asked of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, Utc};
use futures::{FutureExt, future::BoxFuture};
use rexecutor::{
    Executor,
    backend::{
        AmendError, Backend, Bucket, Claim, Claimed, Control, Demand, Ends, Enqueue, Enqueued, Entries, Filter, Flows,
        Heartbeat, Inspect, JobChange, JobRow, Maintain, Member, NewJob, Node, Observe, Outcome, Reports, Result,
        ScheduleKey, Scope, Settle, Settlement, StepLog, Streams, Survey, Tick, Ticks, Wakeup, in_micros, lifecycle,
        memory::InMemoryBackend,
    },
    clock::Clock,
    each_role,
    job::{ExecutorName, JobId, JobStatus, Lease, NodeId},
    pruner::PruneSpec,
};

use super::{
    Planted,
    jobs::{Keyed, Ordered, RATE, Rated, Scarce},
    mistakes,
    record::{Record, Stage},
    shares::{SHARERS, Shares},
    steps::NODE_TIMEOUT,
    turns::{Claimable, Turns},
};
use crate::TestClock;

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
    turns: Mutex<BTreeMap<&'static str, Turns>>,
    /// When jobs of the executor with a rate were claimed.
    started: Mutex<Vec<DateTime<Utc>>>,
}

static PENDING: LazyLock<Filter> = LazyLock::new(|| Filter::StatusIn(vec![JobStatus::Scheduled, JobStatus::Retryable]));

/// Those whose keys take turns.
const TAKE_TURNS: [&str; 2] = [Keyed::NAME, Ordered::NAME];

/// What a claim has to give, and what it may give of those whose keys take turns, or that share a limit.
struct Expected {
    next: Vec<JobId>,
    keyed: Vec<Claimable>,
    shares: Shares,
}

static EXECUTING: LazyLock<Filter> = LazyLock::new(|| Filter::StatusIn(vec![JobStatus::Executing]));

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
    fn now(&self) -> DateTime<Utc> {
        in_micros(self.clock.now())
    }

    pub(super) fn memory(&self) -> &InMemoryBackend {
        &self.memory
    }

    /// The schedule of the programs has ticked.
    pub(super) fn ticked(&self, at: DateTime<Utc>) {
        self.record.note(format_args!("tick of {}", at.time()));
        if !self.record.known().ticks.insert(at) {
            self.record.broken(format_args!("the tick of {at} was enqueued again"));
        }
    }

    /// The entry that was added at run time has ticked.
    pub(super) fn hand_ticked(&self, at: DateTime<Utc>) {
        self.record.note(format_args!("tick by hand of {}", at.time()));
        let (is_first, is_paused) = {
            let mut known = self.record.known();
            (known.hand_ticks.insert(at), known.is_hand_paused)
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

    /// Whether it is known which of an executor's jobs are claimed next, whatever runs of others. A bucket of tokens that was seen to be
    /// full stays so when a clock is set back, and nobody knows who has seen it.
    fn is_in_order(&self, executor: &str) -> bool {
        let is_unknown = executor == Rated::NAME && self.record.known().was_stepped_back;
        !TAKE_TURNS.contains(&executor) && !SHARERS.contains(&executor) && !is_unknown
    }

    /// The runs that a claim has to give, but for those whose keys take turns; and what it may give of these.
    fn expected(&self, demands: &[Demand]) -> Expected {
        let (now, rows) = (self.now(), self.find(&PENDING));
        let due = |executor: &ExecutorName| {
            let is_due = |row: &&JobRow| row.executor == *executor && lifecycle::is_due(row, now);
            let mut due: Vec<_> =
                rows.iter().filter(is_due).map(|row| (row.priority, row.scheduled_at, row.id)).collect();
            due.sort_unstable();
            due
        };
        let is_paused = |executor: &ExecutorName| {
            let holds = |scope: Scope| {
                let until = self.record.known().paused.get(&scope).copied();
                until.is_some_and(|until| until.is_none_or(|until| now < until))
            };
            holds(Scope::Cluster) || holds(Scope::Executor(executor.clone()))
        };
        let open = || demands.iter().filter(|demand| !is_paused(&demand.executor));
        let in_order = open().filter(|demand| self.is_in_order(demand.executor.as_str()));
        let most = |demand: &Demand| match demand.executor.as_str() {
            Scarce::NAME => demand.limit.min(self.room_for_scarce()),
            Rated::NAME => demand.limit.min(self.tokens()),
            _ => demand.limit,
        };
        let next = in_order.flat_map(|demand| due(&demand.executor).into_iter().take(most(demand)));
        let (keyed, shares) = (Claimable::of(open(), &self.rows(), now), Shares::of(open(), &self.rows(), now));
        Expected { next: next.map(|(.., id)| id).collect(), keyed, shares }
    }

    pub(super) fn running(&self, executor: &str) -> usize {
        self.find(&EXECUTING).iter().filter(|row| row.executor.as_str() == executor).count()
    }

    /// How many jobs of the executor with a rate may start now, by those that have.
    fn tokens(&self) -> usize {
        let (interval, burst) = Bucket::numbers(RATE);
        let taken = self.started().iter().fold(Bucket::new(interval, burst, None), |bucket, at| bucket.without(1, *at));
        taken.tokens(self.now())
    }

    /// Notes that so many have, and looks at every window of time that ends now. Where the clock was set back, another one begins.
    fn check_rate(&self, count: usize) {
        let (now, mut started) = (self.now(), self.started());
        started.extend(std::iter::repeat_n(now, count));
        let mut later = now;
        for (count, first) in (1_u32..).zip(started.iter().rev()) {
            if *first > later {
                break;
            }
            later = *first;
            let brought = i128::from((now - *first).num_nanoseconds().unwrap_or(i64::MAX)) / RATE.interval();
            if i128::from(count) > i128::from(RATE.burst) + brought {
                self.record.broken(format_args!("{count} of {} were claimed from {first} to {now}", Rated::NAME));
            }
        }
    }

    fn started(&self) -> MutexGuard<'_, Vec<DateTime<Utc>>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_claim(&self, node: NodeId, expected: &Expected, claimed: &Claimed) {
        let ids: Vec<JobId> = claimed.jobs.iter().map(|row| row.id).collect();
        if !ids.is_empty() {
            self.record.note(format_args!("member {node} claims {ids:?}"));
        }
        let Expected { next: expected, keyed, shares } = expected;
        let others = claimed.jobs.iter().filter(|row| self.is_in_order(row.executor.as_str()));
        let others: Vec<JobId> = others.map(|row| row.id).collect();
        if claimed.member && others != *expected {
            self.record.broken(format_args!("member {node} claimed {others:?}, but {expected:?} were next"));
        }
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        for before in keyed.iter().filter(|_| claimed.member) {
            if let Some(wrong) = turns.entry(before.executor).or_default().check(before, &claimed.jobs) {
                self.record.broken(format_args!("member {node}: {wrong}"));
            }
        }
        drop(turns);
        if let Some(wrong) = shares.check(&claimed.jobs).filter(|_| claimed.member) {
            self.record.broken(format_args!("member {node}: {wrong}"));
        }
        self.check_rate(claimed.jobs.iter().filter(|row| row.executor.as_str() == Rated::NAME).count());
        self.check_scarce();
        let mut known = self.record.known();
        for row in &claimed.jobs {
            let place = known.claimed.len() as u64;
            known.claimed.insert((row.id, row.lease), place);
        }
    }

    fn check_settled(&self, before: &[JobRow], settlements: &[Settlement], refused: &[(JobId, Lease)]) {
        let rows: BTreeMap<JobId, &JobRow> = before.iter().map(|row| (row.id, row)).collect();
        for Settlement { id, lease, outcome, .. } in settlements {
            let is_run = rows.get(id).is_some_and(|row| row.status == JobStatus::Executing && row.lease == *lease);
            let is_accepted = !refused.contains(&(*id, *lease));
            let word = outcome.as_str();
            self.record.note(format_args!("settle {id}/{} {word}: {is_accepted}", lease.0));
            if is_run != is_accepted {
                self.record.broken(format_args!("a settlement of {id}/{} was accepted: {is_accepted}", lease.0));
            }
            let stage = self.record.known().runs.get(&(*id, *lease)).copied();
            let is_true = match (outcome, stage) {
                (Outcome::GiveBack, stage) => !matches!(stage, Some(Stage::Ended(_) | Stage::EndedLate(_))),
                // A run that was dropped ran out of time, and maybe one that took so long.
                (Outcome::Retry { .. }, Some(Stage::Dropped | Stage::EndedLate(_))) => true,
                (_, Some(Stage::Ended(ended) | Stage::EndedLate(ended))) => ended == word,
                _ => false,
            };
            if is_accepted && !is_true {
                self.record.broken(format_args!("{id}/{} was settled as {word}, but it is {stage:?}", lease.0));
            }
        }
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
                let expected = self.expected(&demands);
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
                let refused = self.memory.settle(settlements.clone()).await?;
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

    fn reports(&self) -> Option<&dyn Reports> {
        self.memory.reports()
    }

    fn streams(&self) -> Option<&dyn Streams> {
        self.memory.streams()
    }

    fn step_log(&self) -> Option<&dyn StepLog> {
        self.memory.step_log()
    }

    fn flows(&self) -> Option<&dyn Flows> {
        self.memory.flows()
    }

    fn observe(&self) -> Option<&dyn Observe> {
        self.memory.observe()
    }
}
