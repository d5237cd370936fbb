//! What the dispatcher is told, and how it is connected to the rest of the node.

use std::sync::Arc;

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
    Add(Runner),
    /// The node is this member from now on, or none.
    Join(Option<NodeId>),
    /// Acts on what the backend knows of this membership.
    Compare(NodeId, Heartbeat),
    /// Shuts down once nothing is left to run.
    ShutDownWhenIdle,
    /// Claims no more, and ends when all is settled.
    ShutDown,
    /// Drops what runs, stores what can be, and ends: the process is about to.
    EndWithProcess,
}

/// How the dispatcher is connected to the rest of the node.
pub(in crate::engine) struct Connections {
    pub(in crate::engine) commands: mpsc::UnboundedReceiver<Command>,
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
