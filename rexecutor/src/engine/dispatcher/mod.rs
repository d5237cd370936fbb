//! The one loop of a node that claims jobs, starts them and settles their outcomes.
//!
//! It owns all that it decides by, so there is no lock: slots are counted, never leaked, because what counts is what
//! runs.
//!
//! # Invariants
//!
//! - A claim that is under way is never dropped: its jobs are this node's from the moment the backend commits.
//! - A claimed job is started or given back; a started job ends in the settlements.
//! - While the node is no member it claims nothing.

mod claims;
mod running;
mod shutdown;

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::{Notify, mpsc};
use tracing::Instrument;

use self::{
    claims::{CLAIM, Claiming},
    running::{Running, Slot},
    shutdown::Phase,
};
use super::{
    Environment, Options, Runner, attempt, orphans::Orphans, outage::Outage, prefetch::Prefetch, queues::Queues,
    settlement_queue::SettlementQueue,
};
use crate::{
    backend::{Heartbeat, JobRow, Outcome, Settlement, WakeReasons, Wakeup},
    job::{JobContext, JobId, Lease, NodeId},
};

/// What the dispatcher is told.
pub(super) enum Command {
    /// Runs this executor's jobs from now on.
    Add(Arc<dyn Runner>),
    /// The node is this member from now on, or none.
    Join(Option<NodeId>),
    /// Acts on what the backend knows of this membership.
    Compare(NodeId, Heartbeat),
    /// Claims no more, and ends when all is settled.
    ShutDown,
}

/// How the dispatcher is connected to the rest of the node.
pub(super) struct Connections {
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) wakeup: Arc<Wakeup>,
    /// Asks for a heartbeat now: the node may be none any more, or have jobs to cancel.
    pub(super) check: Arc<Notify>,
}

/// The state of the loop.
pub(super) struct Dispatcher {
    environment: Arc<Environment>,
    options: Options,
    connections: Connections,
    /// What the node is to the backend at present.
    node: Option<NodeId>,
    queues: Queues,
    prefetch: Prefetch,
    /// While jobs wait for slots, until the next look whether any has for too long.
    expiry: Option<BoxFuture<'static, ()>>,
    running: Running,
    settlements: SettlementQueue,
    ended: mpsc::UnboundedReceiver<(Slot, Settlement)>,
    /// Shared, because a sender counts its clones: one counter for each run to raise, not two.
    ending: Arc<mpsc::UnboundedSender<(Slot, Settlement)>>,
    claiming: Option<Claiming>,
    /// After a failed claim, until the next one.
    pause: Option<BoxFuture<'static, ()>>,
    outage: Outage,
    /// When to claim though nobody came: when the next job is due, at the latest after the poll interval.
    timer: (DateTime<Utc>, BoxFuture<'static, ()>),
    orphans: Orphans,
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
            node: None,
            queues: Queues::new(options.max_running),
            prefetch: Prefetch::new(clock.now()),
            expiry: None,
            running: Running::default(),
            settlements: SettlementQueue::new(
                environment.backend.clone(),
                Outage::new(clock.clone(), "settle", options.seed),
            ),
            ended,
            ending: Arc::new(ending),
            claiming: None,
            pause: None,
            outage: Outage::new(clock.clone(), "claim", options.seed),
            timer: (deadline(clock.now(), options.poll_interval), clock.sleep(options.poll_interval)),
            orphans: Orphans::default(),
            lost: None,
            phase: Phase::Open,
            grace: None,
            environment: Arc::new(environment),
            options,
            connections,
        }
    }

    /// Works until it was told to shut down and all is settled.
    pub(super) async fn run(mut self) {
        poll_fn(|context| self.poll(context)).await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.phase != Phase::Over {
            // Once more after anything was done: what it has begun must be waited for, too.
            if !self.work(context) {
                return Poll::Pending;
            }
            self.next_phase();
        }
        Poll::Ready(())
    }

    /// Does all that can be done now; whether that was anything.
    ///
    /// Always in this order, so that two runs of one seed are alike. Nothing waits for long: jobs end no faster than
    /// claims let them begin.
    fn work(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_worked = false;
        let mut ended = Vec::new();
        while let Poll::Ready(Some(command)) = self.connections.commands.poll_recv(context) {
            self.handle(command);
            has_worked = true;
        }
        if self.ended.poll_recv_many(context, &mut ended, CLAIM).is_ready() {
            self.end(ended);
            has_worked = true;
        }
        has_worked |= self.settlements.advance(context);
        if let Poll::Ready(woken) = self.connections.wakeup.poll_listen(context) {
            self.woken(&woken);
            has_worked = true;
        }
        has_worked |= fires(&mut self.pause, context);
        if self.timer.1.poll_unpin(context).is_ready() {
            self.look_again();
            has_worked = true;
        }
        if fires(&mut self.grace, context) {
            self.phase_is_over();
            has_worked = true;
        }
        if fires(&mut self.expiry, context) {
            self.expire_waiting();
            has_worked = true;
        }
        has_worked |= self.take_claims(context);
        has_worked |= self.start_jobs();
        has_worked
    }

    fn start(&mut self, row: JobRow) {
        let Some(runner) = self.queues.runner(row.executor.as_str()) else { return };
        let (begin, span) = (runner.begin(), span(&row));
        let (id, lease) = (row.id, row.lease);
        let context = JobContext::new(row, self.environment.clone());
        let slot = self.running.insert(context.clone());
        let (grace, ending) = (self.options.cancel_grace, self.ending.clone());
        let is_unseen = span.is_disabled();
        let task = async move {
            let outcome = attempt(begin, context, grace).await;
            if !is_unseen {
                tracing::Span::current().record("job.outcome", outcome.as_str());
            }
            tracing::debug!("the job has ended");
            // The loop is gone only when the runtime is.
            let _ = ending.send((slot, Settlement { id, lease, outcome }));
        };
        // A span that nobody sees costs as much to enter and leave, again and again, as a small job.
        match is_unseen {
            true => tokio::spawn(task),
            false => tokio::spawn(task.instrument(span)),
        };
    }

    fn end(&mut self, ended: Vec<(Slot, Settlement)>) {
        self.prefetch.ended(self.environment.clock.now(), ended.len());
        for (slot, settlement) in ended {
            // A run that was given back while its thread went on is settled already.
            if let Some(run) = self.running.remove(slot, (settlement.id, settlement.lease)) {
                self.queues.ended(run.executor());
                self.settlements.push(settlement);
            }
        }
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Add(runner) => self.queues.add(runner),
            Command::Join(node) => self.join(node),
            Command::Compare(node, heartbeat) => self.compare(node, &heartbeat),
            Command::ShutDown if self.phase == Phase::Open => {
                tracing::info!(running = self.running.len(), "the node is shutting down");
                self.give_back_waiting(|_, _| true);
                self.enter(Phase::Draining, self.options.shutdown_grace);
            }
            Command::ShutDown => {}
        }
    }

    fn compare(&mut self, node: NodeId, heartbeat: &Heartbeat) {
        self.give_back_cancelled(&heartbeat.cancelled);
        let running = self.running.by_key();
        heartbeat.cancelled.iter().filter_map(|run| running.get(run)).for_each(|run| run.stop().ask());
        if self.claiming.is_some() || self.node != Some(node) {
            return;
        }
        let (settling, waiting) = (self.settlements.runs(), self.queues.waiting_runs());
        let is_known =
            |run: &(JobId, Lease)| running.contains_key(run) || settling.contains(run) || waiting.contains(run);
        for (id, lease) in self.orphans.notice(&heartbeat.runs, is_known) {
            tracing::warn!(job.id = %id, job.lease = %lease, "the node never heard of this run, and gives it back");
            self.settlements.push(Settlement { id, lease, outcome: Outcome::GiveBack });
        }
    }

    /// The membership has changed: what runs under the old one is somebody else's now.
    fn join(&mut self, node: Option<NodeId>) {
        self.node = node;
        self.running.iter().for_each(|run| run.stop().abort());
        self.give_back_waiting(|_, _| true);
        self.orphans.clear();
        self.queues.all_ready();
        if node.is_some() {
            let executors: Vec<_> = self.queues.names().collect();
            tracing::info!(?executors, "the node has joined");
        }
    }

    fn woken(&mut self, woken: &WakeReasons) {
        if woken.all {
            self.queues.all_ready();
        }
        woken.executors.iter().for_each(|executor| self.queues.ready(executor));
        let is_cancelled = |run: &JobContext| woken.cancelled.contains(&run.job_id());
        let is_here = || self.running.iter().any(is_cancelled) || self.queues.has_waiting(&woken.cancelled);
        if !woken.cancelled.is_empty() && is_here() {
            self.connections.check.notify_one();
        }
    }

    fn look_again(&mut self) {
        let clock = &self.environment.clock;
        self.timer = (deadline(clock.now(), self.options.poll_interval), clock.sleep(self.options.poll_interval));
        self.queues.all_ready();
    }

    /// Moves the timer forward; never back, for it may stand for another executor's next job.
    fn wake_in(&mut self, wait: Duration) {
        let clock = &self.environment.clock;
        let at = deadline(clock.now(), wait);
        if at < self.timer.0 {
            self.timer = (at, clock.sleep(wait));
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

/// Whether a timer has just fired. It is taken away then.
fn fires(timer: &mut Option<BoxFuture<'static, ()>>, context: &mut Context<'_>) -> bool {
    let fires = timer.as_mut().is_some_and(|wait| wait.poll_unpin(context).is_ready());
    if fires {
        *timer = None;
    }
    fires
}
