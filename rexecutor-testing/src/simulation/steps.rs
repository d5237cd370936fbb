//! What is done to a cluster.

use std::time::Duration;

use chrono::TimeDelta;
use rand::RngExt;
use rexecutor::{
    Executor, ExecutorExt, Rexecutor,
    backend::{self, Control, Enqueue, Inspect, JobRow, NewJob, OnDiscard},
    clock::Clock,
    job::{ExecutorName, JobId, JobStatus, builder::EnqueueError, uniqueness_criteria::UniquenessCriteria},
};

use super::{
    jobs::{
        Act, Aged, Called, DEBOUNCE, End, Fragile, Hand, Keyed, MAX_RUNNING, Metered, Narrow, Ordered, Place, Plain,
        ROOM, Rated, Scarce, TAGS, THROTTLE, THROTTLED, Timed, Work,
    },
    node::{Life, Process},
    world::{Running, World},
};

/// How long a node may be silent.
pub(super) const NODE_TIMEOUT: Duration = Duration::from_secs(15);

/// So long that a job which waits for it is late.
const POLL_INTERVAL: Duration = Duration::from_secs(1_800);

/// The most nodes at once.
const NODES: usize = 3;

impl World {
    /// Does one thing.
    pub(super) async fn step(&mut self) {
        if self.sets_clocks && self.random.random_range(0..8) == 0 {
            self.set_clock().await;
        }
        match self.random.random_range(0..32) {
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
            19 => self.rerun().await,
            20..=21 => self.release().await,
            22 => self.pause().await,
            23 => self.outage().await,
            24..=25 => self.by_hand().await,
            26 => self.call().await,
            27 => self.fill().await,
            28 => self.set_limits().await,
            29 => self.batch().await,
            30 => self.workflow().await,
            _ => self.resume().await,
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

    pub(super) fn job(&mut self) -> NewJob {
        let attempts = self.random.random_range(0..3);
        let acts = (0..attempts).map(|_| self.act()).collect();
        // One key has most of the jobs.
        let work = Work { acts, key: self.random.random_range(0..6_u8).saturating_sub(3) };
        let built = match self.random.random_range(0..22) {
            0 => self.built::<Narrow>(work),
            1 => self.built::<Timed>(work),
            2..=5 => self.built::<Scarce>(work),
            6 => self.built::<Rated>(work),
            7..=11 => self.built::<Keyed>(work),
            12..=13 => self.built::<Plain>(work),
            14..=15 => self.built::<Aged>(work),
            16..=17 => self.built::<Fragile>(work),
            18..=19 => self.built::<Metered>(work),
            _ => self.in_line(work),
        };
        self.must(built)
    }

    /// One that may be discarded, and then may halt its line.
    fn in_line(&mut self, work: Work) -> Result<NewJob, EnqueueError> {
        let order = if self.random.random_range(0..2) == 0 { OnDiscard::Halt } else { OnDiscard::Skip };
        let attempts = if self.random.random_range(0..2) == 0 { 2 } else { Ordered::MAX_ATTEMPTS };
        Ok(self.built::<Ordered>(work)?.with_order(order).with_max_attempts(attempts))
    }

    fn built<E: Executor<Data = Work>>(&mut self, work: Work) -> Result<NewJob, EnqueueError> {
        let tag = TAGS.get(self.random.random_range(0..10_usize)).copied();
        let builder = E::builder().with_data(work).with_priority(self.random.random_range(0..3)).with_tags(tag);
        match self.random.random_range(0..3) {
            0 => builder.schedule_in(TimeDelta::seconds(self.random.random_range(1..60))).encode(),
            1 if self.random.random_range(0..2) == 0 => builder.blocked().encode(),
            _ => builder.encode(),
        }
    }

    /// What can only fail if the simulator is wrong.
    pub(super) fn must<T, E: std::fmt::Debug>(&self, result: Result<T, E>) -> T {
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
        let work = Work { acts: vec![self.act()], key: 0 };
        let key = self.random.random_range(0..3);
        let unfinished = [JobStatus::Scheduled, JobStatus::Executing, JobStatus::Retryable];
        let criteria = UniquenessCriteria::by_key(&key).and_executor().for_statuses(&unfinished);
        let job = self.must(Plain::builder().with_data(work).unique(criteria).encode());
        let answer = self.audit.enqueue(vec![job.clone(), job]).await;
        let _ = self.must(answer);
    }

    /// Calls of a job that is debounced or throttled, while time goes on.
    async fn call(&mut self) {
        let (criteria, tags) = match self.random.random_range(0..2) {
            0 => (UniquenessCriteria::throttle(THROTTLE), &[THROTTLED][..]),
            _ => (UniquenessCriteria::debounce(DEBOUNCE.within, DEBOUNCE.longest), &[][..]),
        };
        for _ in 0..self.random.random_range(2..7) {
            let work = Work { acts: vec![self.act()], key: 0 };
            let key = self.random.random_range(0..2);
            let builder = Called::builder().with_data(work).with_tags(tags.iter().copied());
            let job = self.must(builder.unique(criteria.and_key(&(key, tags))).encode());
            let answer = self.audit.enqueue(vec![job]).await;
            let _ = self.must(answer);
            let wait = self.random.random_range(0..8_000);
            self.advance(TimeDelta::milliseconds(wait)).await;
        }
    }

    /// Calls until there is no room, and some more.
    async fn fill(&mut self) {
        for _ in 0..self.random.random_range(1..12) {
            let work = Work { acts: vec![self.act()], key: 0 };
            let job = self.must(Narrow::builder().with_data(work).with_max_pending(ROOM).encode());
            if let Err(error) = self.audit.enqueue(vec![job]).await
                && error.queue_full().is_none()
            {
                panic!("the simulator is wrong: {error:?}");
            }
        }
    }

    pub(super) async fn start(&mut self) {
        if self.living().len() >= NODES {
            return;
        }
        let number = self.nodes.len();
        let skew = TimeDelta::milliseconds(self.random.random_range(-60_000..60_000));
        let process = Process::new(self.audit.clone(), self.clock.clone(), skew);
        self.record.note(format_args!("node {number} starts, its clock is off by {skew}"));
        let ticks = self.version();
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
            .with_executor::<Plain>()
            .with_executor::<Called>()
            .with_executor::<Narrow>()
            .with_executor::<Scarce>()
            .with_executor::<Keyed>()
            .with_executor::<Ordered>()
            .with_executor::<Rated>()
            .with_executor::<Metered>()
            .with_executor::<Aged>()
            .with_executor::<Fragile>()
            .with_executor::<Timed>()
            .with_executor::<Hand>()
            .with_schedule_entry(ticks)
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

    /// The backend is away for all; as it comes back, a node starts that knows nothing of that.
    async fn outage(&mut self) {
        self.record.note("the backend is away");
        let since = self.clock.elapsed();
        self.living().into_iter().for_each(|number| self.nodes[number].process.cut_off());
        let wait = self.random.random_range(0..90_000);
        self.advance(TimeDelta::milliseconds(wait)).await;
        self.living().into_iter().for_each(|number| self.nodes[number].process.heal());
        self.record.back(since);
        self.start().await;
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
        // Whoever runs a job of an entry again beside its successor wants both.
        if executor.as_str() == Hand::NAME {
            return;
        }
        // What came after a task that runs again has run.
        if self.audit.rows().iter().any(|row| row.id == id && row.extras.task.is_some()) {
            return;
        }
        self.record.note(format_args!("rerun {id}"));
        let _ = self.audit.rerun(&executor, id).await;
    }

    async fn release(&mut self) {
        let is_held =
            |row: &JobRow| (row.status == JobStatus::Blocked && row.extras.task.is_none()) || row.halts_line();
        let blocked: Vec<JobRow> = self.audit.rows().into_iter().filter(is_held).collect();
        let Some(row) = blocked.get(self.random.random_range(0..blocked.len().max(1))) else { return };
        self.record.note(format_args!("release {}", row.id));
        let answer = self.audit.release(&row.executor, row.id).await;
        self.must(answer);
    }

    /// Sets how many of those may run of which few may, or leaves it to programs again.
    async fn set_limits(&mut self) {
        let most = Some(self.random.random_range(0..6)).filter(|most| *most > 0);
        self.record.note(format_args!("let {most:?} of {} run", Scarce::NAME));
        let answer = self.audit.set_scarce(most).await;
        self.must(answer);
    }

    pub(super) fn control(&self) -> &dyn Control {
        self.must(backend::control(&*self.audit))
    }

    fn any_job(&mut self) -> Option<(ExecutorName, JobId)> {
        let rows = self.audit.rows();
        // Not the unique ones: a rerun of one may rightly stand beside another.
        let rows: Vec<_> = rows.iter().filter(|row| row.unique_key.is_none()).collect();
        let row = rows.get(self.random.random_range(0..rows.len().max(1)))?;
        Some((row.executor.clone(), row.id))
    }
}
