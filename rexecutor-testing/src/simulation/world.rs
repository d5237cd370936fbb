//! A cluster, and what must hold of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{TimeDelta, Timelike};
use futures::future::BoxFuture;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rexecutor::{
    Executor, ExecutorExt, Rexecutor,
    backend::{Backend, Enqueue, Inspect, JobRow, Scope},
    clock::Clock,
    job::{JobId, JobStatus},
    node::GlobalSet,
};

use super::{
    Planted,
    audit::Audit,
    clocks,
    jobs::{Called, Plain, THROTTLE, THROTTLED, Ticks, Work},
    node::{Life, Process},
    record::Record,
};
use crate::TestClock;

/// How many things are done to a cluster before it is left alone.
const STEPS: usize = 32;

/// A node and its process.
pub(super) struct Running {
    pub(super) process: Process,
    pub(super) node: Option<Rexecutor<GlobalSet>>,
    pub(super) shutdown: Option<BoxFuture<'static, ()>>,
}

/// A cluster and what is done to it.
pub(super) struct World {
    pub(super) random: StdRng,
    pub(super) clock: TestClock,
    pub(super) record: Record,
    pub(super) audit: Arc<Audit>,
    pub(super) nodes: Vec<Running>,
    pub(super) planted: Option<Planted>,
    /// Whether somebody sets clocks in it.
    pub(super) sets_clocks: bool,
}

impl World {
    pub(super) fn new(seed: u64, planted: Option<Planted>) -> Self {
        let clock = TestClock::new();
        let record = Record::new(clock.clone());
        let audit = Arc::new(Audit::new(clock.clone(), record.clone(), planted));
        let random = StdRng::seed_from_u64(seed);
        Self { random, clock, record, audit, nodes: Vec::new(), planted, sets_clocks: clocks::are_set(seed) }
    }

    pub(super) fn record(&self) -> Record {
        self.record.clone()
    }

    pub(super) fn backend(&self) -> Arc<dyn Backend> {
        self.audit.clone()
    }

    pub(super) async fn run(mut self) {
        self.start().await;
        self.start().await;
        for _ in 0..STEPS {
            self.step().await;
            let wait = self.random.random_range(0..8_000);
            self.advance(TimeDelta::milliseconds(wait)).await;
            if self.record.is_broken() {
                return;
            }
        }
        self.recover().await;
        self.probe().await;
        self.check_ticks();
    }

    pub(super) async fn advance(&mut self, by: TimeDelta) {
        self.clock.advance(by).await;
        self.clock.settle().await;
        self.check();
    }

    /// From here on nothing goes wrong.
    async fn recover(&mut self) {
        self.record.note("everything is well from here on");
        for running in &self.nodes {
            running.process.live(Life::Running);
            running.process.heal();
        }
        if !self.nodes.iter().any(|running| !running.process.is_dead() && running.node.is_some()) {
            self.start().await;
        }
        if self.nodes.iter().all(|running| running.process.is_dead() || running.node.is_none()) {
            // There were as many as may be, and all of them are leaving.
            self.nodes.iter().for_each(|running| running.process.live(Life::Dead));
            self.start().await;
        }
        let paused: Vec<Scope> = std::mem::take(&mut self.record.known().paused).into_keys().collect();
        for scope in &paused {
            self.audit.resumed(scope);
            let answer = self.control().resume(scope).await;
            self.must(answer);
        }
        // Tasks are released by themselves.
        let by_hand = |row: &JobRow| row.status == JobStatus::Blocked && row.extras.task.is_none();
        for row in self.audit.rows().into_iter().filter(by_hand) {
            let answer = self.audit.release(&row.executor, row.id).await;
            self.must(answer);
        }
        self.end_entries().await;
        // Whoever was cut off comes back, whoever is dead is found to be.
        self.advance(TimeDelta::minutes(1)).await;
        for _ in 0..120 {
            if self.unfinished().is_empty() {
                break;
            }
            // By hand, as it would be.
            for row in self.audit.rows().into_iter().filter(JobRow::halts_line) {
                let answer = self.audit.release(&row.executor, row.id).await;
                self.must(answer);
            }
            self.advance(TimeDelta::minutes(1)).await;
        }
        for row in self.unfinished() {
            self.record.broken(format_args!("job {} is still {}", row.id, row.status));
        }
        self.check_batches(&self.audit.rows(), true);
        self.check_workflows(&self.audit.rows(), true);
    }

    /// Ticks go on, and one may just have been enqueued.
    fn unfinished(&self) -> Vec<JobRow> {
        let is_left = |row: &JobRow| row.finished_at().is_none() && row.executor.as_str() != Ticks::NAME;
        self.audit.rows().into_iter().filter(is_left).collect()
    }

    /// A new job begins when it is due, on nodes that have nothing else to do.
    async fn probe(&mut self) {
        for delay in [0, 90] {
            let due = TimeDelta::seconds(delay);
            let job = self.must(Plain::builder().with_data(Work::default()).schedule_in(due).encode());
            let answer = self.audit.enqueue(vec![job]).await;
            let id = self.must(answer)[0].id();
            if delay > 0 {
                self.advance(due - TimeDelta::seconds(1)).await;
                if self.status(id) != Some(JobStatus::Scheduled) {
                    self.record.broken(format_args!("job {id} began before it was due"));
                }
            }
            self.advance(TimeDelta::seconds(2)).await;
            if self.status(id) != Some(JobStatus::Complete) {
                self.record.broken(format_args!("job {id} was due a second ago, and is {:?}", self.status(id)));
            }
        }
    }

    fn status(&self, id: JobId) -> Option<JobStatus> {
        self.audit.rows().iter().find(|row| row.id == id).map(|row| row.status)
    }

    fn check_ticks(&self) {
        let rows = self.audit.rows();
        let enqueued = rows.iter().filter(|row| row.executor.as_str() == Ticks::NAME).count();
        let ticks = self.record.known().ticks.clone();
        let (first, last) = (ticks.first().copied(), ticks.last().copied());
        if let Some((first, last)) = first.zip(last) {
            let wanted = usize::try_from((last - first).num_minutes() + 1).unwrap_or_default();
            if self.record.known().was_set_back {
                // Nobody knows which came between.
            } else if ticks.len() != wanted || enqueued != wanted || ticks.iter().any(|tick| tick.second() != 0) {
                self.record.broken(format_args!(
                    "{} ticks and {enqueued} jobs instead of {wanted} from {first} to {last}",
                    ticks.len()
                ));
            }
            if self.clock.now() - last > TimeDelta::seconds(62) {
                self.record.broken(format_args!("the last tick was that of {last}"));
            }
        } else {
            self.record.broken("nothing ever ticked");
        }
    }

    /// What holds at every moment.
    fn check(&self) {
        self.check_hand();
        let rows = self.audit.rows();
        let present: BTreeSet<JobId> = rows.iter().map(|row| row.id).collect();
        let lost: Vec<JobId> = self.record.known().stored.difference(&present).copied().collect();
        if !lost.is_empty() {
            self.record.broken(format_args!("{lost:?} were enqueued and are gone"));
        }
        self.check_windows(&rows);
        self.check_batches(&rows, false);
        self.check_workflows(&rows, false);
        let mut unfinished: BTreeMap<_, Vec<JobId>> = BTreeMap::new();
        // One that is debounced stands beside another that has begun.
        let counts =
            |row: &&JobRow| row.executor.as_str() != Called::NAME || (row.lease.0 == 0 && row.tags != [THROTTLED]);
        for row in rows.iter().filter(|row| row.finished_at().is_none()).filter(counts) {
            unfinished.entry(row.unique_key.map(|key| key.0)).or_default().push(row.id);
        }
        for (_, ids) in unfinished.iter().filter(|(key, ids)| key.is_some() && ids.len() > 1) {
            self.record.broken(format_args!("{ids:?} have one unique key"));
        }
    }

    /// Between two jobs of a throttled key lies a whole window.
    fn check_windows(&self, rows: &[JobRow]) {
        let mut last = BTreeMap::new();
        for row in rows.iter().filter(|row| row.tags == [THROTTLED]) {
            let before = last.insert(row.unique_key, row.inserted_at);
            // One that was enqueued earlier by the clock came after it was set back.
            let before = before.filter(|before| row.inserted_at >= *before || !self.record.known().was_set_back);
            if let Some(before) = before.filter(|before| row.inserted_at - *before < THROTTLE) {
                self.record.broken(format_args!("{} was enqueued {} after another", row.id, row.inserted_at - before));
            }
        }
    }
}
