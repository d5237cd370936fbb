//! What the dispatcher decides by.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::{
    claim::Claiming,
    command::Connections,
    idle::Idle,
    phase::Phase,
    running::{Ended, Running},
};
use crate::{
    clock::Clock,
    context::Environment,
    engine::{
        options::Options, orphans::Orphans, outage::Outage, prefetch::Prefetch, queues::Queues,
        settlement_queue::SettlementQueue,
    },
    model::NodeId,
};

/// The state of the loop.
pub(in crate::engine) struct Dispatcher {
    pub(super) environment: Arc<Environment>,
    pub(super) options: Options,
    pub(super) connections: Connections,
    /// What the node is to the backend at present.
    pub(super) node: Option<NodeId>,
    pub(super) queues: Queues,
    pub(super) prefetch: Prefetch,
    /// While jobs wait for slots, until the next look whether any has for too long.
    pub(super) expiry: Option<BoxFuture<'static, ()>>,
    pub(super) running: Running,
    pub(super) settlements: SettlementQueue,
    pub(super) ended: mpsc::UnboundedReceiver<Ended>,
    /// Shared, because a sender counts its clones: one counter for each run to raise, not two.
    pub(super) ending: Arc<mpsc::UnboundedSender<Ended>>,
    pub(super) claiming: Option<Claiming>,
    /// After a failed claim, until the next one.
    pub(super) pause: Option<BoxFuture<'static, ()>>,
    pub(super) outage: Outage,
    /// When to claim though nobody came: when the next job is due, at the latest after the poll interval.
    pub(super) timer: (Duration, BoxFuture<'static, ()>),
    /// While limits of the cluster keep due jobs back, until some of them may be there to be claimed.
    pub(super) held: Option<BoxFuture<'static, ()>>,
    pub(super) orphans: Orphans,
    /// The membership that was found to have ended.
    pub(super) lost: Option<NodeId>,
    pub(super) phase: Phase,
    /// Where the node is to leave once it is idle.
    pub(super) idle: Option<Idle>,
    /// When the next phase of shutting down begins by itself.
    pub(super) grace: Option<BoxFuture<'static, ()>>,
    /// When the shutdown grace is over; `None`: never, or the node does not shut down.
    pub(super) drained_by: Option<Duration>,
    /// Whether the process ends when the node has left: then nothing waits for threads.
    pub(super) ends_with_process: bool,
}

impl Dispatcher {
    pub(in crate::engine) fn new(environment: Environment, options: Options, connections: Connections) -> Self {
        let (ending, ended) = mpsc::unbounded_channel();
        let clock = &environment.clock;
        Self {
            node: None,
            queues: Queues::new(options.max_running, options.max_held_bytes),
            prefetch: Prefetch::new(clock.elapsed()),
            expiry: None,
            running: Running::default(),
            settlements: SettlementQueue::new(
                environment.backend.clone(),
                Outage::new(clock.clone(), "settle", options.seed),
                Outage::new(clock.clone(), "settle apart", options.seed),
            ),
            ended,
            ending: Arc::new(ending),
            claiming: None,
            pause: None,
            outage: Outage::new(clock.clone(), "claim", options.seed),
            timer: timer(clock, options.poll_interval),
            held: None,
            orphans: Orphans::default(),
            lost: None,
            phase: Phase::Open,
            idle: None,
            grace: None,
            drained_by: None,
            ends_with_process: false,
            environment: Arc::new(environment),
            options,
            connections,
        }
    }

    /// Moves the timer forward; never back, for it may stand for another executor's next job.
    pub(super) fn wake_in(&mut self, wait: Duration) {
        let clock = &self.environment.clock;
        if clock.elapsed().saturating_add(wait) < self.timer.0 {
            self.timer = timer(clock, wait);
        }
    }

    /// Looks at all queues, and again after the poll interval.
    pub(super) fn look_again(&mut self) {
        self.timer = timer(&self.environment.clock, self.options.poll_interval);
        self.queues.all_ready();
    }
}

/// With when it fires, in the time that nobody can set.
fn timer(clock: &Arc<dyn Clock>, wait: Duration) -> (Duration, BoxFuture<'static, ()>) {
    (clock.elapsed().saturating_add(wait), clock.sleep(wait))
}
