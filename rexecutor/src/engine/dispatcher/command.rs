//! What the dispatcher is told, and how it is connected to the rest of the node.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    backend::Wakeup,
    engine::{runner::Runner, survey::Presence},
    model::{Heartbeat, NodeId},
};

/// What the dispatcher is told.
pub(in crate::engine) enum Command {
    /// Runs this executor's jobs from now on.
    Add(Box<Runner>),
    /// The node is this member from now on, or none.
    Join(Option<NodeId>),
    /// Acts on the latest [report](Report).
    Compare,
    /// Shuts down once nothing is left to run.
    ShutDownWhenIdle,
    /// Claims no more, and ends when all is settled.
    ShutDown,
    /// Drops what runs, stores what can be, and ends: the process is about to.
    EndWithProcess,
}

/// What the backend knows of a membership, as the latest heartbeat tells it: older ones say no more, and would gather while
/// jobs keep the dispatcher from running.
#[derive(Default)]
pub(in crate::engine) struct Report(Mutex<Option<(NodeId, Heartbeat)>>);

impl Report {
    /// Puts a heartbeat in the place of the one before; whether that had been taken.
    pub(in crate::engine) fn put(&self, node: NodeId, heartbeat: Heartbeat) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replace((node, heartbeat)).is_none()
    }

    pub(super) fn take(&self) -> Option<(NodeId, Heartbeat)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How the dispatcher is connected to the rest of the node.
pub(in crate::engine) struct Connections {
    pub(in crate::engine) commands: mpsc::UnboundedReceiver<Command>,
    pub(in crate::engine) report: Arc<Report>,
    pub(in crate::engine) wakeup: Arc<Wakeup>,
    /// Asks for a heartbeat now: the node may be none any more, or have jobs to cancel.
    pub(in crate::engine) check: Arc<Notify>,
    /// What the node is, and which executors it runs.
    pub(in crate::engine) presence: watch::Sender<Presence>,
    /// Cancelled when nothing keeps the node from leaving but jobs that block their threads.
    pub(in crate::engine) blocked: CancellationToken,
    /// Cancelled when the node has given such jobs back, since their threads end with the process.
    pub(in crate::engine) given_up: CancellationToken,
}
