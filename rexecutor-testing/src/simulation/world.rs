//! What is done to a cluster, and what must hold of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{TimeDelta, Timelike};
use futures::future::BoxFuture;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rexecutor::{
    Executor, ExecutorExt, Rexecutor,
    backend::{Backend, Enqueue, Inspect, JobRow, NewJob},
    clock::Clock,
    job::{JobId, JobStatus, builder::EnqueueError, uniqueness_criteria::UniquenessCriteria},
    node::GlobalSet,
    schedule::{MissedTicks, TimeZone},
};

use super::{
    audit::Audit,
    jobs::{Act, End, MAX_RUNNING, Narrow, Place, Plain, Ticks, Timed, Work},
    node::{Life, Process},
    record::Record,
};
use crate::TestClock;

/// How many things are done to a cluster before it is left alone.
const STEPS: usize = 25;

/// How long a node may be silent.
const NODE_TIMEOUT: Duration = Duration::from_secs(15);

/// So long that a job which waits for it is late.
const POLL_INTERVAL: Duration = Duration::from_secs(1_800);

/// The most nodes at once.
const NODES: usize = 3;

struct Running {
    process: Process,
    node: Option<Rexecutor<GlobalSet>>,
    shutdown: Option<BoxFuture<'static, ()>>,
}

/// A cluster and what is done to it.
pub(super) struct World {
    random: StdRng,
    clock: TestClock,
    record: Record,
    audit: Arc<Audit>,
    nodes: Vec<Running>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let clock = TestClock::new();
        let record = Record::new(clock.clone());
        let audit = Arc::new(Audit::new(clock.clone(), record.clone()));
        Self { random: StdRng::seed_from_u64(seed), clock, record, audit, nodes: Vec::new() }
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

    async fn advance(&mut self, by: TimeDelta) {
        self.clock.advance(by).await;
        self.clock.settle().await;
        self.check();
    }

    /// Does one thing.
    async fn step(&mut self) {
        match self.random.random_range(0..20) {
            0..=5 => self.enqueue().await,
            6 => self.enqueue_many().await,
            7..=8 => self.enqueue_unique().await,
            9..=10 => self.start().await,
            11 => self.crash(),
            12 => self.change("is frozen", |process, _| process.live(Life::Frozen)),
            13 => self.change("goes on", |process, _| process.live(Life::Running)),
            14 => self.change("is cut off", |process, _| process.cut_off()),
            15 => self.change("is disturbed", Process::disturb),
            16 => self.change("is healed", |process, _| process.heal()),
            17 => self.shut_down(),
            18 => self.cancel().await,
            _ => self.rerun().await,
        }
    }

    fn act(&mut self) -> Act {
        let millis = match self.random.random_range(0..4) {
            0 => 0,
            1..=2 => self.random.random_range(1..3_000),
            _ => self.random.random_range(3_000..30_000),
        };
        let end = match self.random.random_range(0..10) {
            0..=5 => End::Done,
            6..=7 => End::Fail,
            8 => End::Snooze,
            _ => End::Panic,
        };
        Act { millis, end }
    }

    fn job(&mut self) -> NewJob {
        let attempts = self.random.random_range(0..3);
        let work = Work { acts: (0..attempts).map(|_| self.act()).collect() };
        let built = match self.random.random_range(0..4) {
            0 => self.built::<Narrow>(work),
            1 => self.built::<Timed>(work),
            _ => self.built::<Plain>(work),
        };
        self.must(built)
    }

    fn built<E: Executor<Data = Work>>(&mut self, work: Work) -> Result<NewJob, EnqueueError> {
        let builder = E::builder().with_data(work).with_priority(self.random.random_range(0..3));
        match self.random.random_range(0..3) {
            0 => builder.schedule_in(TimeDelta::seconds(self.random.random_range(1..60))).encode(),
            _ => builder.encode(),
        }
    }

    /// What can only fail if the simulator is wrong.
    fn must<T, E: std::fmt::Debug>(&self, result: Result<T, E>) -> T {
        match result {
            Ok(value) => value,
            Err(error) => panic!("the simulator is wrong: {error:?}"),
        }
    }

    async fn enqueue(&mut self) {
        let job = self.job();
        let answer = self.audit.enqueue(vec![job]).await;
        let _ = self.must(answer);
    }

    async fn enqueue_many(&mut self) {
        let count = self.random.random_range(2..30);
        let jobs = (0..count).map(|_| self.job()).collect();
        let answer = self.audit.enqueue(jobs).await;
        let _ = self.must(answer);
    }

    async fn enqueue_unique(&mut self) {
        let work = Work { acts: vec![self.act()] };
        let key = self.random.random_range(0..3);
        let unfinished = [JobStatus::Scheduled, JobStatus::Executing, JobStatus::Retryable];
        let criteria = UniquenessCriteria::by_key(&key).and_executor().for_statuses(&unfinished);
        let job = self.must(Plain::builder().with_data(work).unique(criteria).encode());
        let answer = self.audit.enqueue(vec![job.clone(), job]).await;
        let _ = self.must(answer);
    }

    async fn start(&mut self) {
        if self.living().len() >= NODES {
            return;
        }
        let number = self.nodes.len();
        let skew = TimeDelta::milliseconds(self.random.random_range(-60_000..60_000));
        let process = Process::new(self.audit.clone(), self.clock.clone(), skew);
        self.record.note(format_args!("node {number} starts, its clock is off by {skew}"));
        let every_minute = self.must("0 * * * * *".parse());
        let node = Rexecutor::builder()
            .with_backend(process.backend.clone())
            .with_clock(process.clock.clone())
            .with_seed(self.random.random())
            .with_label(format!("node {number}"))
            .with_state(Place { node: number, record: self.record.clone() })
            .with_max_running(MAX_RUNNING)
            .with_node_timeout(NODE_TIMEOUT)
            .with_poll_interval(POLL_INTERVAL)
            .with_shutdown_grace(Duration::from_secs(5))
            .with_missed_ticks(MissedTicks::All)
            .with_executor::<Plain>()
            .with_executor::<Narrow>()
            .with_executor::<Timed>()
            .with_cron_executor::<Ticks>(every_minute, Work::default(), TimeZone::UTC)
            .start()
            .await;
        let node = Some(self.must(node));
        self.nodes.push(Running { process, node, shutdown: None });
    }

    /// The nodes whose processes live.
    fn living(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|number| !self.nodes[*number].process.is_dead()).collect()
    }

    fn any(&mut self) -> Option<usize> {
        let living = self.living();
        (!living.is_empty()).then(|| living[self.random.random_range(0..living.len())])
    }

    fn change(&mut self, what: &str, change: impl FnOnce(&Process, u64)) {
        let Some(number) = self.any() else { return };
        self.record.note(format_args!("node {number} {what}"));
        change(&self.nodes[number].process, self.random.random_range(0..1 << 40));
    }

    fn crash(&mut self) {
        let Some(number) = self.any() else { return };
        self.record.note(format_args!("node {number} dies"));
        self.nodes[number].process.live(Life::Dead);
        // What ran there is gone with it.
        self.record.known().running.retain(|(node, _), _| *node != number);
    }

    fn shut_down(&mut self) {
        let Some(number) = self.any() else { return };
        if let Some(node) = self.nodes[number].node.take() {
            self.record.note(format_args!("node {number} is shut down"));
            self.nodes[number].shutdown = Some(Box::pin(node.graceful_shutdown()));
        }
    }

    async fn cancel(&mut self) {
        let Some((executor, id)) = self.any_job() else { return };
        self.record.note(format_args!("cancel {id}"));
        let _ = self.audit.cancel(&executor, id, "enough".to_owned()).await;
    }

    async fn rerun(&mut self) {
        let Some((executor, id)) = self.any_job() else { return };
        self.record.note(format_args!("rerun {id}"));
        let _ = self.audit.rerun(&executor, id).await;
    }

    fn any_job(&mut self) -> Option<(rexecutor::job::ExecutorName, JobId)> {
        let rows = self.audit.rows();
        // Not the unique ones: a rerun of one may rightly stand beside another.
        let rows: Vec<_> = rows.iter().filter(|row| row.unique_key.is_none()).collect();
        let row = rows.get(self.random.random_range(0..rows.len().max(1)))?;
        Some((row.executor.clone(), row.id))
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
        // Whoever was cut off comes back, whoever is dead is found to be.
        self.advance(TimeDelta::minutes(1)).await;
        for _ in 0..120 {
            if self.unfinished().is_empty() {
                break;
            }
            self.advance(TimeDelta::minutes(1)).await;
        }
        for row in self.unfinished() {
            self.record.broken(format_args!("job {} is still {}", row.id, row.status));
        }
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
            if ticks.len() != wanted || enqueued != wanted || ticks.iter().any(|tick| tick.second() != 0) {
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
        let rows = self.audit.rows();
        let present: BTreeSet<JobId> = rows.iter().map(|row| row.id).collect();
        let lost: Vec<JobId> = self.record.known().stored.difference(&present).copied().collect();
        if !lost.is_empty() {
            self.record.broken(format_args!("{lost:?} were enqueued and are gone"));
        }
        let mut unfinished: BTreeMap<_, Vec<JobId>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.finished_at().is_none()) {
            unfinished.entry(row.unique_key.map(|key| key.0)).or_default().push(row.id);
        }
        for (_, ids) in unfinished.iter().filter(|(key, ids)| key.is_some() && ids.len() > 1) {
            self.record.broken(format_args!("{ids:?} have one unique key"));
        }
    }
}
