//! How a node works.

use std::time::Duration;

/// How a node works. Every default suits most programs.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// How many jobs run at once, over all executors.
    pub(crate) max_running: usize,
    /// How long running jobs may take to end when the node shuts down.
    pub(crate) shutdown_grace: Duration,
    /// How long a cancelled job may take to stop before it is dropped.
    pub(crate) cancel_grace: Duration,
    /// How long the node may be silent before others take its jobs.
    pub(crate) node_timeout: Duration,
    /// How often the node looks for jobs that nothing told it of.
    pub(crate) poll_interval: Duration,
    /// What makes its random pauses the same every time; `None`: nothing does.
    pub(crate) seed: Option<u64>,
    /// What people call the node.
    pub(crate) label: String,
    /// The registered jobs that it runs; empty: all of them.
    pub(crate) only: Vec<&'static str>,
    /// The registered jobs that it does not run.
    pub(crate) except: Vec<&'static str>,
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
            max_running: 1_000,
            shutdown_grace: Duration::from_secs(30),
            cancel_grace: Duration::from_secs(5),
            node_timeout: Duration::from_secs(15),
            poll_interval: Duration::from_secs(5),
            seed: None,
            label: format!("process {}", std::process::id()),
            only: Vec::new(),
            except: Vec::new(),
        }
    }
}
