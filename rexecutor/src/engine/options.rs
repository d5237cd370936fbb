//! How a node works.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::event::Hooks;
use crate::executing::NodeMiddleware;

/// How many jobs run at once where nobody says otherwise: what a pool of ten connections, which drivers open by default, serves
/// within its time limits, and the memory of a small machine bears. Short jobs lose nothing by it, because they are claimed
/// ahead.
const DEFAULT_MAX_RUNNING: usize = 50;

/// How a node works. Every default suits most programs.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// How many jobs run at once, over all executors.
    pub(crate) max_running: usize,
    /// How many bytes the data and metadata of the jobs that the node has claimed may have, about.
    pub(crate) max_held_bytes: usize,
    /// How long running jobs may take to end when the node shuts down, before they are told to stop.
    pub(crate) shutdown_grace: Duration,
    /// How long a job that was told to stop may take before it is dropped.
    pub(crate) cancel_grace: Duration,
    /// How long the node may be silent before others take its jobs.
    pub(crate) node_timeout: Duration,
    /// How often the node looks for jobs that nothing told it of.
    pub(crate) poll_interval: Duration,
    /// What makes its random pauses the same every time; `None`: nothing does.
    pub(crate) seed: Option<u64>,
    /// What people call the node.
    pub(crate) label: String,
    /// The version of the program, as people are shown it.
    pub(crate) version: Option<String>,
    /// Of which executors it runs fewer at once than of all, as people are shown it.
    pub(crate) executor_slots: BTreeMap<&'static str, usize>,
    /// The registered jobs that it runs; empty: all of them.
    pub(crate) only: Vec<&'static str>,
    /// The registered jobs that it does not run.
    pub(crate) except: Vec<&'static str>,
    /// What is told of every run.
    pub(crate) hooks: Arc<Hooks>,
    /// What is around every run.
    pub(crate) middleware: NodeMiddleware,
}

impl Options {
    /// A node has five chances to be heard before it counts as dead.
    pub(crate) fn heartbeat_interval(&self) -> Duration {
        self.node_timeout / 5
    }

    /// The longest time from one heartbeat to the next on a node that works.
    pub(crate) fn longest_gap(&self) -> Duration {
        self.heartbeat_interval().saturating_mul(2).saturating_add(self.heartbeat_limit())
    }

    /// How long a heartbeat may take before it is given up. After one that was lost, and the pause that follows, there is
    /// the time for another one before the node counts as dead.
    pub(crate) fn heartbeat_limit(&self) -> Duration {
        (self.node_timeout / 3).max(Duration::from_secs(1))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_running: DEFAULT_MAX_RUNNING,
            max_held_bytes: 128 * 1024 * 1024,
            shutdown_grace: Duration::from_secs(20),
            cancel_grace: Duration::from_secs(5),
            node_timeout: Duration::from_secs(15),
            poll_interval: Duration::from_secs(5),
            seed: None,
            label: format!("process {}", std::process::id()),
            version: None,
            executor_slots: BTreeMap::new(),
            only: Vec::new(),
            except: Vec::new(),
            hooks: Arc::default(),
            middleware: NodeMiddleware::default(),
        }
    }
}
