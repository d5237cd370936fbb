//! The node's place in the cluster: joining, staying alive, and taking back the jobs of nodes that died.

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::sync::{Notify, mpsc, watch};

use super::{Environment, Options, dispatcher::Command, supervise::supervise};
use crate::{
    backend::{Node, Result},
    job::NodeId,
};

/// Keeps a node a member until it is dropped.
pub(super) struct Membership {
    pub(super) environment: Environment,
    pub(super) options: Options,
    pub(super) node: watch::Sender<Option<NodeId>>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) check: Arc<Notify>,
}

impl Membership {
    /// Joins, and joins again whenever the membership was lost.
    pub(super) async fn keep(&self) {
        supervise(self.environment.clock.clone(), "heartbeat", || self.step().boxed()).await;
    }

    async fn step(&self) -> Result<()> {
        self.beat().await?;
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
        let Some(node) = *self.node.borrow() else { return self.join().await };
        let heartbeat = backend.heartbeat(node).await?;
        if !heartbeat.member {
            tracing::warn!(node = %node, "the node was declared dead: it stops its jobs and joins again");
            self.node.send_replace(None);
            return self.join().await;
        }
        if !heartbeat.cancelled.is_empty() {
            // The loop is gone only when the node is.
            let _ = self.commands.send(Command::Cancel(heartbeat.cancelled));
        }
        self.rescue().await
    }

    async fn join(&self) -> Result<()> {
        let node = Node { label: self.options.label.clone(), timeout: self.options.node_timeout };
        let node = self.environment.backend.join(&node).await?;
        // Before the first claim, so that what the predecessor left is there to be claimed.
        self.rescue().await?;
        self.node.send_replace(Some(node));
        Ok(())
    }

    async fn rescue(&self) -> Result<()> {
        let count = self.environment.backend.rescue().await?;
        if count > 0 {
            tracing::warn!(count, "jobs of dead nodes were rescued");
        }
        Ok(())
    }

    /// Leaves, if it can be done soon: a node that says nothing is found to be dead by itself.
    pub(super) async fn leave(&self) {
        let Some(node) = *self.node.borrow() else { return };
        tokio::select! {
            biased;
            left = self.environment.backend.leave(node) => {
                if let Err(error) = left {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the node could not say that it leaves");
                }
            }
            () = self.environment.clock.sleep(Duration::from_secs(5)) => {}
        }
    }
}
