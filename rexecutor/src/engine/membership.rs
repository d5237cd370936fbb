//! The node's place in the cluster: joining, staying alive, and taking back the jobs of nodes that died.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt;
use tokio::sync::{Notify, mpsc, watch};

use super::{
    about::about,
    dispatcher::{Command, Report},
    failure_detector::FailureDetector,
    options::Options,
    outage::Outage,
    supervise::supervise,
};
use crate::{
    clock::Clock,
    context::Environment,
    meters,
    model::{BackendError, Heartbeat, Member, Node, NodeId, Result},
};

/// How long a node that leaves waits for the backend.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Keeps a node a member until it is dropped.
pub(super) struct Membership {
    environment: Environment,
    options: Options,
    connections: Connections,
    node: Mutex<Option<NodeId>>,
    detector: Mutex<FailureDetector>,
    /// Whether a call is under way that makes the node a member.
    joining: watch::Sender<bool>,
}

/// How the membership is connected to the rest of the node.
pub(super) struct Connections {
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) report: Arc<Report>,
    /// Asks for a heartbeat now.
    pub(super) check: Arc<Notify>,
}

impl Membership {
    pub(super) fn new(environment: Environment, options: Options, connections: Connections) -> Self {
        let detector = Mutex::new(FailureDetector::new(options.longest_gap()));
        Self { environment, options, connections, node: Mutex::default(), detector, joining: watch::Sender::new(false) }
    }

    /// Joins, and joins again whenever the membership was lost.
    pub(super) async fn keep(&self) {
        let outage = Outage::new(self.environment.clock.clone(), "heartbeat", self.options.seed);
        // Once the backend is back, all are heard within what others take for a moment.
        let outage = outage.with_pauses_up_to(self.options.heartbeat_interval());
        supervise(outage, || self.step().boxed()).await;
    }

    async fn step(&self) -> Result<()> {
        if let Err(error) = self.beat().await {
            lock(&self.detector).forget();
            return Err(error);
        }
        tokio::select! {
            biased;
            () = self.connections.check.notified() => {}
            () = self.environment.clock.sleep(self.options.heartbeat_interval()) => {}
        }
        Ok(())
    }

    async fn beat(&self) -> Result<()> {
        let known = *lock(&self.node);
        let mut node = match known {
            Some(node) => node,
            None => self.join().await?,
        };
        let mut heartbeat = self.heartbeat(node).await?;
        if !heartbeat.member {
            tracing::warn!(node = %node, "the node was declared dead: it stops its jobs and joins again");
            self.become_member(None);
            node = self.join().await?;
            heartbeat = self.heartbeat(node).await?;
        }
        let dead = lock(&self.detector).look(self.environment.clock.elapsed(), &heartbeat.others);
        if self.connections.report.put(node, heartbeat) {
            self.tell(Command::Compare);
        }
        self.rescue(dead).await
    }

    async fn join(&self) -> Result<NodeId> {
        self.joining.send_replace(true);
        let joined = self.become_one().await;
        self.joining.send_replace(false);
        joined
    }

    async fn become_one(&self) -> Result<NodeId> {
        let node = Node::new(self.options.label.clone(), self.options.node_timeout).with_about(about(&self.options));
        let node = self.environment.backend.join(&node).await?;
        self.become_member(Some(node));
        Ok(node)
    }

    async fn heartbeat(&self, node: NodeId) -> Result<Heartbeat> {
        self.limited(self.options.heartbeat_limit(), self.environment.backend.heartbeat(node)).await
    }

    /// Takes back the jobs of dead nodes. If there are many, the next heartbeat comes in between.
    async fn rescue(&self, dead: Vec<Member>) -> Result<()> {
        if !dead.is_empty() {
            let nodes: Vec<i64> = dead.iter().map(|member| member.node.0).collect();
            tracing::warn!(?nodes, "nodes have not been heard for their whole timeout: they count as dead");
        }
        let clock = &self.environment.clock;
        let (began, mut total) = (clock.elapsed(), 0);
        loop {
            let count = self.limited(self.options.heartbeat_limit(), self.environment.backend.rescue(&dead)).await?;
            total += count;
            let is_late = clock.elapsed().saturating_sub(began) >= self.options.heartbeat_interval();
            if count == 0 || is_late {
                if is_late {
                    self.connections.check.notify_one();
                }
                break;
            }
        }
        if total > 0 {
            meters::rescued(total);
            tracing::warn!(count = total, "jobs of dead nodes were rescued");
        }
        Ok(())
    }

    /// Waits for a call, but not for so long that nothing is heard of the node meanwhile.
    async fn limited<T>(&self, limit: Duration, call: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            answer = call => answer,
            () = self.environment.clock.sleep(limit) => {
                Err(BackendError::transient("the backend does not answer", format!("no answer within {limit:?}")))
            }
        }
    }

    /// Says what the node is from now on.
    fn become_member(&self, node: Option<NodeId>) {
        *lock(&self.node) = node;
        self.tell(Command::Join(node));
    }

    fn tell(&self, command: Command) {
        // The loop is gone only when the node is.
        let _ = self.connections.commands.send(command);
    }

    /// Ends the keeping that is under way, and leaves.
    pub(super) async fn end(&self, keeping: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = keeping => {}
            () = self.settled() => {}
        }
        self.leave().await;
    }

    /// Waits for a join that is under way, for a moment: it would leave a member behind that nobody knows of.
    async fn settled(&self) {
        let mut joining = self.joining.subscribe();
        tokio::select! {
            biased;
            _ = joining.wait_for(|is_joining| !is_joining) => {}
            () = self.environment.clock.sleep(LAST_WORDS) => {}
        }
    }

    /// Leaves, if it can be done soon: a node that says nothing is found to be dead by itself.
    async fn leave(&self) {
        let Some(node) = *lock(&self.node) else { return };
        if let Err(error) = self.limited(LAST_WORDS, self.environment.backend.leave(node)).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "the node could not say that it leaves");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
