//! The node's place in the cluster: joining, staying alive, and taking back the jobs of nodes that died.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use tokio::sync::{Notify, mpsc, watch};

use super::{
    dispatcher::Command,
    options::Options,
    outage::{LONGEST_PAUSE, Outage},
    supervise::supervise,
};
use crate::{
    context::Environment,
    model::{Node, NodeId, Result},
};

/// How long a node that leaves waits for the backend.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Whether the backend was away, so that nodes which live may look dead.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Silence {
    #[default]
    None,
    /// It still is, as far as this node knows.
    Lasts,
    /// It was until a moment ago: nobody is judged before this instant.
    Until(DateTime<Utc>),
}

/// Keeps a node a member until it is dropped.
pub(super) struct Membership {
    pub(super) environment: Environment,
    pub(super) options: Options,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) check: Arc<Notify>,
    pub(super) node: Mutex<Option<NodeId>>,
    pub(super) silence: Mutex<Silence>,
    /// Whether a call is under way that makes the node a member.
    pub(super) joining: watch::Sender<bool>,
}

impl Membership {
    /// Joins, and joins again whenever the membership was lost.
    pub(super) async fn keep(&self) {
        let outage = Outage::new(self.environment.clock.clone(), "heartbeat", self.options.seed);
        supervise(outage, || self.step().boxed()).await;
    }

    async fn step(&self) -> Result<()> {
        if let Err(error) = self.beat().await {
            *lock(&self.silence) = Silence::Lasts;
            return Err(error);
        }
        self.rest(self.options.heartbeat_interval()).await;
        Ok(())
    }

    async fn rest(&self, interval: Duration) {
        tokio::select! {
            biased;
            () = self.check.notified() => {}
            () = self.environment.clock.sleep(interval) => {}
        }
    }

    async fn beat(&self) -> Result<()> {
        let backend = &self.environment.backend;
        let Some(node) = self.node() else { return self.join().await };
        let heartbeat = backend.heartbeat(node).await?;
        if !heartbeat.member {
            tracing::warn!(node = %node, "the node was declared dead: it stops its jobs and joins again");
            self.become_member(None);
            return self.join().await;
        }
        self.tell(Command::Compare(node, heartbeat));
        self.rescue().await
    }

    async fn join(&self) -> Result<()> {
        self.joining.send_replace(true);
        let joined = self.become_one().await;
        self.joining.send_replace(false);
        joined
    }

    async fn become_one(&self) -> Result<()> {
        let node = Node::new(self.options.label.clone(), self.options.node_timeout);
        let node = self.environment.backend.join(&node).await?;
        // Before the first claim, so that what the predecessor left is there to be claimed.
        self.rescue().await?;
        self.become_member(Some(node));
        Ok(())
    }

    /// Takes back the jobs of dead nodes, unless those that live may not have been heard.
    async fn rescue(&self) -> Result<()> {
        if !self.may_judge() {
            return Ok(());
        }
        let count = self.environment.backend.rescue().await?;
        if count > 0 {
            tracing::warn!(count, "jobs of dead nodes were rescued");
        }
        Ok(())
    }

    /// It takes an outage longer than a node's timeout to make live nodes look dead. Once it is over, each must have the
    /// time to be heard again, after the longest pause that it may be making, before anybody judges.
    fn may_judge(&self) -> bool {
        let now = self.environment.clock.now();
        let mut silence = lock(&self.silence);
        match *silence {
            Silence::None => true,
            Silence::Lasts => {
                let wait = TimeDelta::from_std(self.options.node_timeout.max(2 * LONGEST_PAUSE));
                let until = wait.ok().and_then(|wait| now.checked_add_signed(wait));
                *silence = Silence::Until(until.unwrap_or(DateTime::<Utc>::MAX_UTC));
                false
            }
            Silence::Until(until) if now < until => false,
            Silence::Until(_) => {
                *silence = Silence::None;
                true
            }
        }
    }

    fn node(&self) -> Option<NodeId> {
        *lock(&self.node)
    }

    /// Says what the node is from now on.
    fn become_member(&self, node: Option<NodeId>) {
        *lock(&self.node) = node;
        self.tell(Command::Join(node));
    }

    fn tell(&self, command: Command) {
        // The loop is gone only when the node is.
        let _ = self.commands.send(command);
    }

    /// Waits for a join that is under way, for a moment: it would leave a member behind that nobody knows of.
    pub(super) async fn settled(&self) {
        let mut joining = self.joining.subscribe();
        tokio::select! {
            biased;
            _ = joining.wait_for(|is_joining| !is_joining) => {}
            () = self.environment.clock.sleep(LAST_WORDS) => {}
        }
    }

    /// Leaves, if it can be done soon: a node that says nothing is found to be dead by itself.
    pub(super) async fn leave(&self) {
        let Some(node) = self.node() else { return };
        tokio::select! {
            biased;
            left = self.environment.backend.leave(node) => {
                if let Err(error) = left {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the node could not say that it leaves");
                }
            }
            () = self.environment.clock.sleep(LAST_WORDS) => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
