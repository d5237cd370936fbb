//! The node's place in the cluster: joining, staying alive, and taking back the jobs of nodes that died.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use tokio::sync::{Notify, mpsc, watch};

use super::{Environment, Options, dispatcher::Command, outage::Outage, supervise::supervise};
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
    /// Until when the others may not have been heard, because the backend was away.
    pub(super) outage_until: Mutex<DateTime<Utc>>,
}

impl Membership {
    /// Joins, and joins again whenever the membership was lost.
    pub(super) async fn keep(&self) {
        let outage = Outage::new(self.environment.clock.clone(), "heartbeat", self.options.seed);
        supervise(outage, || self.step().boxed()).await;
    }

    async fn step(&self) -> Result<()> {
        if let Err(error) = self.beat().await {
            // It takes an outage longer than a node's timeout to make live nodes look dead. Each must have the time to
            // be heard again before anybody judges.
            let patience = TimeDelta::from_std(self.options.node_timeout).unwrap_or(TimeDelta::MAX);
            let until = self.environment.clock.now().checked_add_signed(patience);
            *self.outage_until.lock().unwrap_or_else(PoisonError::into_inner) =
                until.unwrap_or(DateTime::<Utc>::MAX_UTC);
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
        let Some(node) = *self.node.borrow() else { return self.join().await };
        let heartbeat = backend.heartbeat(node).await?;
        if !heartbeat.member {
            tracing::warn!(node = %node, "the node was declared dead: it stops its jobs and joins again");
            self.node.send_replace(None);
            return self.join().await;
        }
        // The loop is gone only when the node is.
        let _ = self.commands.send(Command::Compare(node, heartbeat));
        let outage_until = *self.outage_until.lock().unwrap_or_else(PoisonError::into_inner);
        if self.environment.clock.now() < outage_until {
            return Ok(());
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
