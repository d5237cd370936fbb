//! Why a job is not running, in one sentence.

use chrono::{DateTime, Utc};

use crate::{
    backend::breaker::HeldByBreaker,
    model::{ErrorType, FlowId, JobId, JobStatus, NodeId, Paused},
};

/// Why a job is not running.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Explanation {
    /// The job.
    pub id: JobId,
    /// The backend's present, at which this holds.
    pub now: DateTime<Utc>,
    /// The reason. As a text it is one sentence.
    pub reason: Reason,
    /// What speaks for it: what each fact is about, and the fact.
    pub evidence: Vec<(&'static str, String)>,
}

/// The first reason that holds, in the order in which claims heed them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is over.
    Finished {
        /// How it ended.
        status: JobStatus,
        /// When it ended.
        at: Option<DateTime<Utc>>,
        /// Why, if it was cancelled; what the last error says, if it was discarded.
        why: Option<String>,
        /// The last error, if it was discarded, and whether its attempts were used up.
        error: Option<(ErrorType, bool)>,
    },
    /// It does run.
    Running {
        /// On this node.
        node: NodeId,
        /// Since then.
        since: Option<DateTime<Utc>>,
        /// Somebody has asked it to stop.
        is_stopping: bool,
    },
    /// A node that is silent has claimed it.
    NodeIsSilent {
        /// The node.
        node: NodeId,
        /// When it was last heard; `None`: it is no member of the cluster any more.
        seen_at: Option<DateTime<Utc>>,
    },
    /// It was enqueued blocked and waits to be released.
    Blocked,
    /// It is a task that comes after others, which have not all ended.
    AfterTasks {
        /// The workflow.
        workflow: FlowId,
        /// Those that have not ended, each with its name; the first ten.
        tasks: Vec<(String, JobId)>,
        /// How many there are.
        count: usize,
    },
    /// A step of it waits for a signal.
    WaitsForSignal {
        /// How long at most; `None`: for ever.
        until: Option<DateTime<Utc>>,
    },
    /// Its deadline has passed.
    DeadlinePassed(DateTime<Utc>),
    /// No node could read its data; it waits for a version of the program that can.
    Unreadable {
        /// Since when.
        since: Option<DateTime<Utc>>,
        /// When it is tried again.
        again_at: DateTime<Utc>,
    },
    /// It is not due yet.
    NotDue {
        /// When it is.
        at: DateTime<Utc>,
        /// The attempt that has failed before.
        failed_attempt: Option<u16>,
    },
    /// The whole cluster is paused.
    ClusterIsPaused(Paused),
    /// Its executor is paused.
    ExecutorIsPaused(Paused),
    /// A tag of it is paused.
    TagIsPaused(Paused),
    /// The circuit breaker of its executor is open, because attempts keep failing.
    CircuitBreaker(HeldByBreaker),
    /// No living node runs its executor.
    NoNode {
        /// How many nodes are alive.
        alive: usize,
    },
    /// Every living node that runs its executor is paused.
    NodesArePaused {
        /// These nodes.
        nodes: Vec<NodeId>,
        /// How one of them is.
        paused: Paused,
    },
    /// Its key's jobs run one after another, and it is the turn of another one.
    BehindAnother {
        /// The key.
        key: String,
        /// Whose turn it is.
        job: JobId,
        /// How that one stands: a discarded one halts those behind it.
        status: JobStatus,
    },
    /// A job of its executor holds all of them back.
    Throttled(DateTime<Utc>),
    /// As many jobs of its executor run as may, on all nodes together.
    ClusterLimit {
        /// How many may run.
        limit: usize,
        /// How many do.
        running: usize,
    },
    /// Its executor's rate has too few tokens left.
    Rate {
        /// When there are enough.
        next_at: DateTime<Utc>,
    },
    /// As many jobs of its key run as may.
    KeyLimit {
        /// The key.
        key: String,
        /// How many may run.
        limit: usize,
        /// How many do.
        running: usize,
    },
    /// The rate of its key has too few tokens left.
    KeyRate {
        /// The key.
        key: String,
        /// When there are enough.
        next_at: DateTime<Utc>,
    },
    /// A job of its key holds all of them back.
    KeyThrottled {
        /// The key.
        key: String,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// As many jobs run as may, of all executors that share a limit.
    SharedLimit {
        /// The limit's name.
        name: String,
        /// How many may run.
        limit: usize,
        /// How many do.
        running: usize,
    },
    /// The rate that its executor shares with others has no token left.
    SharedRate {
        /// The limit's name.
        name: String,
        /// When the next one is there.
        next_at: DateTime<Utc>,
    },
    /// All slots of the nodes that run its executor are taken.
    SlotsAreTaken {
        /// How many slots there are, or for this executor alone.
        slots: usize,
        /// Whether these are the slots of this executor, and others are free.
        of_executor: bool,
    },
    /// Nothing keeps it.
    Ready,
}

impl Reason {
    /// The word for it, as in the JSON of a dashboard.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Finished { .. } => "finished",
            Self::Running { .. } => "running",
            Self::NodeIsSilent { .. } => "node_is_silent",
            Self::Blocked => "blocked",
            Self::AfterTasks { .. } => "after_tasks",
            Self::WaitsForSignal { .. } => "waits_for_signal",
            Self::DeadlinePassed(_) => "deadline_passed",
            Self::Unreadable { .. } => "unreadable",
            Self::NotDue { .. } => "not_due",
            Self::ClusterIsPaused(_) => "cluster_is_paused",
            Self::ExecutorIsPaused(_) => "executor_is_paused",
            Self::TagIsPaused(_) => "tag_is_paused",
            Self::CircuitBreaker(_) => "circuit_breaker",
            Self::NoNode { .. } => "no_node",
            Self::NodesArePaused { .. } => "nodes_are_paused",
            Self::BehindAnother { .. } => "behind_another",
            Self::Throttled(_) => "throttled",
            Self::ClusterLimit { .. } => "cluster_limit",
            Self::Rate { .. } => "rate",
            Self::KeyLimit { .. } => "key_limit",
            Self::KeyRate { .. } => "key_rate",
            Self::KeyThrottled { .. } => "key_throttled",
            Self::SharedLimit { .. } => "shared_limit",
            Self::SharedRate { .. } => "shared_rate",
            Self::SlotsAreTaken { .. } => "slots_are_taken",
            Self::Ready => "ready",
        }
    }
}
