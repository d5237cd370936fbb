//! The one loop of a node that claims jobs, starts them and settles their outcomes.
//!
//! It owns all that it decides by, so there is no lock: slots are counted, never leaked, because what counts is what
//! runs.
//!
//! # Invariants
//!
//! - A claim that is under way is never dropped: its jobs are this node's from the moment the backend commits.
//! - A claimed job is started or given back; a started job ends in the outbox.
//! - While the node is no member it claims nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use tokio::sync::{Notify, mpsc, watch};
use tracing::Instrument;

use super::{
    Environment, Options, Runner,
    lines::Lines,
    outage::Outage,
    outbox::{MOST_WAITING, Outbox},
    run::Run,
    unheard::Unheard,
};
use crate::{
    backend::{Bell, Claimed, Heartbeat, JobRow, Outcome, Result, Rung, Settlement, Slots},
    job::{ExecutorName, JobId, Lease, NodeId},
};

/// How many jobs one claim asks for at most.
const CLAIM: usize = 500;

/// What the dispatcher is told.
pub(super) enum Command {
    /// Runs this executor's jobs from now on.
    Add(Arc<dyn Runner>),
    /// Acts on what the backend knows of this membership.
    Compare(NodeId, Heartbeat),
    /// Claims no more, and ends when all is settled.
    ShutDown,
}

/// How the dispatcher is connected to the rest of the node.
pub(super) struct Connections {
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) node: watch::Receiver<Option<NodeId>>,
    pub(super) bell: Arc<Bell>,
    /// Asks for a heartbeat now: the node may be none any more, or have jobs to cancel.
    pub(super) check: Arc<Notify>,
}

/// A run that has ended.
struct Ended {
    executor: ExecutorName,
    settlement: Settlement,
}

/// A claim that is under way, and what was asked.
struct Claiming {
    node: NodeId,
    slots: Vec<Slots>,
    answer: BoxFuture<'static, Result<Claimed>>,
}

/// How far the node has shut down.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Phase {
    /// It has not begun to.
    Open,
    /// Running jobs may end by themselves.
    Draining,
    /// They were dropped; what still runs blocks its thread.
    Aborting,
    /// That was given back too. Only the outbox is waited for.
    Leaving,
    /// All is settled, or the backend is away for too long.
    Over,
}

/// How long jobs may take to notice that they were dropped.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// How long a node that shuts down waits for a backend that is away.
const LEAVE_GRACE: Duration = Duration::from_secs(10);

/// The state of the loop.
pub(super) struct Dispatcher {
    environment: Environment,
    options: Options,
    connections: Connections,
    lines: Lines,
    /// What runs, and how to stop it.
    running: BTreeMap<(JobId, Lease), (ExecutorName, Run)>,
    outbox: Outbox,
    ended: mpsc::UnboundedReceiver<Ended>,
    ending: mpsc::UnboundedSender<Ended>,
    claiming: Option<Claiming>,
    /// After a failed claim, until the next one.
    pause: Option<BoxFuture<'static, ()>>,
    outage: Outage,
    /// When to claim though nobody rang: when the next job is due, at the latest after the poll interval.
    timer: (DateTime<Utc>, BoxFuture<'static, ()>),
    unheard: Unheard,
    /// The membership that was found to have ended.
    lost: Option<NodeId>,
    phase: Phase,
    /// When the next phase of shutting down begins by itself.
    grace: Option<BoxFuture<'static, ()>>,
}

impl Dispatcher {
    pub(super) fn new(environment: Environment, options: Options, connections: Connections) -> Self {
        let (ending, ended) = mpsc::unbounded_channel();
        let clock = &environment.clock;
        Self {
            lines: Lines::new(options.max_running),
            running: BTreeMap::new(),
            outbox: Outbox::new(environment.backend.clone(), Outage::new(clock.clone(), "settle", options.seed)),
            ended,
            ending,
            claiming: None,
            pause: None,
            outage: Outage::new(clock.clone(), "claim", options.seed),
            timer: (deadline(clock.now(), options.poll_interval), clock.sleep(options.poll_interval)),
            unheard: Unheard::default(),
            lost: None,
            phase: Phase::Open,
            grace: None,
            environment,
            options,
            connections,
        }
    }

    /// Works until it was told to shut down and all is settled.
    pub(super) async fn run(mut self) {
        while self.phase != Phase::Over {
            self.claim();
            self.step().await;
            self.next_phase();
        }
    }

    async fn step(&mut self) {
        let mut ended = Vec::new();
        // In this order, so that two runs of one seed are alike. None of them can keep the others waiting for long:
        // jobs end no faster than claims let them begin.
        tokio::select! {
            biased;
            _ = self.ended.recv_many(&mut ended, CLAIM) => self.end(ended),
            Some(command) = self.connections.commands.recv() => self.obey(command),
            () = self.outbox.advance() => {}
            answer = answer(&mut self.claiming) => self.claimed(answer),
            Ok(()) = self.connections.node.changed() => self.joined(),
            rung = self.connections.bell.listen() => self.rung(rung),
            () = fire(&mut self.pause) => {}
            () = &mut self.timer.1 => self.poll(),
            () = fire(&mut self.grace) => self.phase_is_over(),
        }
    }

    /// Begins a claim, if there is anything to ask for and nothing against it.
    fn claim(&mut self) {
        let node = *self.connections.node.borrow();
        let is_barred = self.claiming.is_some()
            || self.pause.is_some()
            || self.phase != Phase::Open
            || self.outbox.len() >= MOST_WAITING;
        let Some(node) = node.filter(|node| !is_barred && self.lost != Some(*node)) else { return };
        let slots = self.lines.take_slots(CLAIM);
        if slots.is_empty() {
            return;
        }
        let (backend, asked) = (self.environment.backend.clone(), slots.clone());
        let answer = Box::pin(async move { backend.claim(node, &asked).await });
        self.claiming = Some(Claiming { node, slots, answer });
    }

    fn claimed(&mut self, (node, slots, answer): (NodeId, Vec<Slots>, Result<Claimed>)) {
        let claimed = match answer {
            Ok(claimed) => claimed,
            Err(error) => {
                self.pause = Some(self.outage.failed(&error));
                slots.iter().for_each(|slots| self.lines.ready(&slots.executor));
                return;
            }
        };
        self.outage.is_over();
        if !claimed.member {
            self.lost = Some(node);
            self.lines.all_ready();
            self.connections.check.notify_one();
            return;
        }
        let mut counts: BTreeMap<ExecutorName, usize> = BTreeMap::new();
        let is_ours = self.phase == Phase::Open && *self.connections.node.borrow() == Some(node);
        for row in claimed.jobs {
            *counts.entry(row.executor.clone()).or_default() += 1;
            match is_ours {
                true => self.start(row),
                false => self.outbox.push(Settlement { id: row.id, lease: row.lease, outcome: Outcome::GiveBack }),
            }
        }
        for Slots { executor, free } in slots {
            if counts.get(&executor).is_some_and(|count| *count >= free) {
                self.lines.ready(&executor);
            }
        }
        if let Some(wait) = claimed.next_due_in {
            self.wake_in(wait);
        }
    }

    fn start(&mut self, row: JobRow) {
        let (key, executor) = ((row.id, row.lease), row.executor.clone());
        let Some(line) = self.lines.get(&executor) else {
            self.outbox.push(Settlement { id: key.0, lease: key.1, outcome: Outcome::GiveBack });
            return;
        };
        let run = Run::new(self.options.cancel_grace);
        let span = span(&row);
        let work = line.runner.run(row, self.environment.clone(), run.clone());
        let (ending, name) = (self.ending.clone(), executor.clone());
        let task = async move {
            let outcome = work.await;
            tracing::Span::current().record("job.outcome", outcome.as_str());
            tracing::debug!("the job has ended");
            let settlement = Settlement { id: key.0, lease: key.1, outcome };
            // The loop is gone only when the runtime is.
            let _ = ending.send(Ended { executor: name, settlement });
        };
        tokio::spawn(task.instrument(span));
        self.lines.started(&executor);
        self.running.insert(key, (executor, run));
    }

    fn end(&mut self, ended: Vec<Ended>) {
        for Ended { executor, settlement } in ended {
            // A run that was given back while its thread went on is settled already.
            if self.running.remove(&(settlement.id, settlement.lease)).is_some() {
                self.lines.ended(&executor);
                self.outbox.push(settlement);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Add(runner) => self.lines.add(runner),
            Command::Compare(node, heartbeat) => self.compare(node, &heartbeat),
            Command::ShutDown if self.phase == Phase::Open => {
                tracing::info!(running = self.running.len(), "the node is shutting down");
                self.enter(Phase::Draining, self.options.shutdown_grace);
            }
            Command::ShutDown => {}
        }
    }

    fn compare(&mut self, node: NodeId, heartbeat: &Heartbeat) {
        for run in heartbeat.cancelled.iter().filter_map(|run| self.running.get(run)) {
            run.1.cancellation.cancel();
        }
        if self.claiming.is_some() || *self.connections.node.borrow() != Some(node) {
            return;
        }
        let settling = self.outbox.runs();
        let is_known = |run: &(JobId, Lease)| self.running.contains_key(run) || settling.contains(run);
        for (id, lease) in self.unheard.notice(&heartbeat.runs, is_known) {
            tracing::warn!(job.id = %id, job.lease = %lease, "the node never heard of this run, and gives it back");
            self.outbox.push(Settlement { id, lease, outcome: Outcome::GiveBack });
        }
    }

    /// The membership has changed: what runs under the old one is somebody else's now.
    fn joined(&mut self) {
        self.running.values().for_each(|(_, run)| run.abort.cancel());
        self.unheard.clear();
        self.lines.all_ready();
        if self.connections.node.borrow().is_some() {
            let executors: Vec<_> = self.lines.names().collect();
            tracing::info!(?executors, "the node has joined");
        }
    }

    fn rung(&mut self, rung: Rung) {
        if rung.all {
            self.lines.all_ready();
        }
        rung.executors.iter().for_each(|executor| self.lines.ready(executor));
        let runs_here =
            |id: &JobId| self.running.range((*id, Lease(i64::MIN))..=(*id, Lease(i64::MAX))).next().is_some();
        if rung.cancelled.iter().any(runs_here) {
            self.connections.check.notify_one();
        }
    }

    fn poll(&mut self) {
        let clock = &self.environment.clock;
        self.timer = (deadline(clock.now(), self.options.poll_interval), clock.sleep(self.options.poll_interval));
        self.lines.all_ready();
    }

    /// Moves the timer forward; never back, for it may stand for another executor's next job.
    fn wake_in(&mut self, wait: Duration) {
        let clock = &self.environment.clock;
        let at = deadline(clock.now(), wait);
        if at < self.timer.0 {
            self.timer = (at, clock.sleep(wait));
        }
    }

    fn enter(&mut self, phase: Phase, grace: Duration) {
        self.phase = phase;
        self.grace = Some(self.environment.clock.sleep(grace));
    }

    /// Goes on with shutting down as soon as nothing is left to wait for, through as many phases as have nothing to do.
    fn next_phase(&mut self) {
        let is_drained = self.running.is_empty() && self.claiming.is_none();
        if matches!(self.phase, Phase::Draining | Phase::Aborting) && is_drained {
            self.enter(Phase::Leaving, LEAVE_GRACE);
        }
        if self.phase == Phase::Leaving && self.outbox.is_empty() && self.claiming.is_none() {
            self.phase = Phase::Over;
        }
    }

    fn phase_is_over(&mut self) {
        match self.phase {
            Phase::Draining => {
                tracing::warn!(
                    running = self.running.len(),
                    "the grace for shutting down is over, jobs are given back"
                );
                self.running.values().for_each(|(_, run)| run.abort.cancel());
                self.enter(Phase::Aborting, ABORT_GRACE);
            }
            Phase::Aborting => {
                for (id, lease) in std::mem::take(&mut self.running).into_keys() {
                    self.outbox.push(Settlement { id, lease, outcome: Outcome::GiveBack });
                }
                self.enter(Phase::Leaving, LEAVE_GRACE);
            }
            Phase::Leaving => {
                tracing::error!(
                    outcomes = self.outbox.len(),
                    "the backend is away, outcomes are lost, their jobs will be rescued"
                );
                self.phase = Phase::Over;
            }
            Phase::Open | Phase::Over => {}
        }
    }
}

fn deadline(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn span(row: &JobRow) -> tracing::Span {
    tracing::info_span!(
        "job.run",
        job.id = row.id.as_i64(),
        job.executor = row.executor.as_str(),
        job.attempt = row.attempt,
        job.outcome = tracing::field::Empty,
    )
}

/// Waits for the claim under way; for ever, if there is none.
async fn answer(claiming: &mut Option<Claiming>) -> (NodeId, Vec<Slots>, Result<Claimed>) {
    let Some(claim) = claiming else { return std::future::pending().await };
    let answer = (&mut claim.answer).await;
    let (node, slots) = (claim.node, std::mem::take(&mut claim.slots));
    *claiming = None;
    (node, slots, answer)
}

/// Waits for a timer and takes it away; for ever, if there is none.
async fn fire(timer: &mut Option<BoxFuture<'static, ()>>) {
    match timer {
        Some(wait) => wait.await,
        None => std::future::pending().await,
    }
    *timer = None;
}
