//! How nodes and executors stand.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::counts::Count;
use crate::{
    backend::{
        admission::{Concurrency, Controls},
        rotation::KeyBucket,
    },
    model::{AboutNode, ExecutorName, JobId, JobStatus, Limit, NodeId, Paused, Scope},
};

/// Nodes and executors as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cluster {
    /// The backend's present.
    pub now: DateTime<Utc>,
    /// Why no job of any executor is claimed.
    pub paused: Option<Paused>,
    /// The members, by number.
    pub nodes: Vec<SeenNode>,
    /// The executors, by name.
    pub executors: Vec<Standing>,
    /// How many jobs of each executor are executing on each node; also on nodes that are no members any more.
    pub runs: BTreeMap<(NodeId, ExecutorName), usize>,
    /// The tags whose jobs are not claimed.
    pub tags: Vec<Paused>,
    /// What claims keep to of the [limits that executors share](crate::backend::Limit), by stored name.
    pub shared: BTreeMap<ExecutorName, Controls>,
}

/// How the jobs of one key of an executor stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStanding {
    /// How many are executing.
    pub running: usize,
    /// Of those that run one after another, the one whose turn it is, and its status: the one that is executing, or else the
    /// first by number that is not finished, or was discarded and halts the others.
    pub first: Option<(JobId, JobStatus)>,
    /// What is kept of the rate of the key.
    pub kept: KeyBucket,
}

impl KeyStanding {
    /// So many are executing, and it is this one's turn.
    pub fn new(running: usize, first: Option<(JobId, JobStatus)>) -> Self {
        Self { running, first, kept: KeyBucket::default() }
    }

    /// … and this is kept of the key's rate.
    #[must_use]
    pub fn with_kept(self, kept: KeyBucket) -> Self {
        Self { kept, ..self }
    }
}

/// A member of the cluster, as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeenNode {
    /// The member.
    pub node: NodeId,
    /// What people call it.
    pub label: String,
    /// What else is known of it.
    pub about: AboutNode,
    /// Since when it is a member.
    pub since: DateTime<Utc>,
    /// When it was last heard, by the backend's clock.
    pub seen_at: DateTime<Utc>,
    /// How long it may be silent.
    pub timeout: Duration,
    /// Which executors it runs; `None`: it has not said so yet.
    pub executors: Option<Vec<ExecutorName>>,
    /// How it is paused. The whole cluster may be paused beside it.
    pub paused: Option<Paused>,
}

impl SeenNode {
    /// A member of which nothing else is known.
    pub fn new(node: NodeId, label: String, since: DateTime<Utc>) -> Self {
        let (about, timeout) = (AboutNode::default(), Duration::ZERO);
        Self { node, label, about, since, seen_at: since, timeout, executors: None, paused: None }
    }

    /// Whether it was silent for longer than it may be. It says nothing about whether it is
    /// [dead](crate::backend::Maintain): that is for other nodes to say.
    pub fn is_silent(&self, now: DateTime<Utc>) -> bool {
        let timeout = TimeDelta::from_std(self.timeout).unwrap_or(TimeDelta::MAX);
        self.seen_at.checked_add_signed(timeout).is_some_and(|silent_at| silent_at < now)
    }

    /// Whether it runs this executor, as far as is known: one that has not said what it runs may run anything.
    pub fn runs(&self, executor: &ExecutorName) -> bool {
        self.executors.as_ref().is_none_or(|executors| executors.contains(executor))
    }
}

/// The queue of an executor: its scheduled and retryable jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Queue {
    /// How many wait, for their time or for a slot.
    pub waiting: Count,
    /// How many of those that were counted are due.
    pub due: Count,
    /// When the first of them is due, or was.
    pub first_due_at: Option<DateTime<Utc>>,
}

impl Queue {
    /// The most jobs of an executor that are counted; fewer, where there are many executors.
    pub const MOST: usize = 10_000;

    /// So many wait of whom so many are due, when no more than `cap` were looked at.
    pub fn new(waiting: usize, due: usize, first_due_at: Option<DateTime<Utc>>, cap: usize) -> Self {
        let waiting = Count::up_to(waiting, cap);
        Self { waiting, due: Count { is_least: waiting.is_least, ..Count::exact(due) }, first_due_at }
    }
}

/// How an executor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// Its name.
    pub executor: ExecutorName,
    /// Since when it is paused, by whom and why. The whole cluster may be paused beside it.
    pub paused: Option<Paused>,
    /// What claims of its jobs keep to.
    pub controls: Controls,
    /// How many of its jobs are executing, on all nodes.
    pub running: usize,
    /// What waits.
    pub queue: Queue,
    /// How many living nodes run it; those that have not said what they run are not among them.
    pub nodes: usize,
}

impl Standing {
    /// That of an executor of which nothing is known.
    pub fn new(executor: ExecutorName) -> Self {
        let (controls, queue) = (Controls::default(), Queue::default());
        Self { executor, paused: None, controls, running: 0, queue, nodes: 0 }
    }

    /// How long its oldest due job has been waiting.
    pub fn oldest_wait(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.queue.first_due_at.map(|at| now - at).filter(|wait| *wait >= TimeDelta::zero())
    }
}

/// What is stored about an executor, or about the whole cluster under its [name](Scope::CLUSTER_NAME).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// How it is paused, or was until the pause's own end.
    pub paused: Option<Paused>,
    /// What claims keep to. How many run is filled in.
    pub controls: Controls,
    /// The most of its jobs that may run at once.
    pub max_running: Option<usize>,
}

impl Cluster {
    /// How all of it stands, by what is stored.
    pub fn new(
        now: DateTime<Utc>,
        mut nodes: Vec<SeenNode>,
        runs: BTreeMap<(NodeId, ExecutorName), usize>,
        mut stored: BTreeMap<ExecutorName, Stored>,
        mut queues: BTreeMap<ExecutorName, Queue>,
    ) -> Self {
        let holds = |paused: &Paused| paused.pause.holds(now);
        let paused = stored.remove(&Scope::CLUSTER_NAME).and_then(|stored| stored.paused).filter(holds);
        nodes.iter_mut().for_each(|node| node.paused = node.paused.take().filter(holds));
        let mut names: BTreeSet<ExecutorName> =
            nodes.iter().filter_map(|node| node.executors.clone()).flatten().collect();
        names.extend(runs.keys().map(|(_, executor)| executor.clone()));
        names.extend(queues.keys().cloned());
        let mut running = BTreeMap::<_, usize>::new();
        for ((_, executor), jobs) in &runs {
            *running.entry(executor.clone()).or_default() += jobs;
        }
        // What several executors share is stored under a name that is no executor's.
        let (shared, mut stored): (BTreeMap<_, _>, BTreeMap<_, _>) =
            stored.into_iter().partition(|(name, _)| name.as_str().starts_with(Limit::PREFIX));
        let limit = |(name, Stored { mut controls, max_running, .. }): (ExecutorName, Stored)| {
            let sharers = stored.iter().filter(|(_, stored)| stored.controls.shared.contains(&name));
            let runs = sharers.filter_map(|(executor, _)| running.get(executor)).sum();
            controls.concurrency = max_running.map(|most| Concurrency::new(runs, most));
            (name, controls)
        };
        let shared = shared.into_iter().map(limit).collect();
        for (executor, stored) in &mut stored {
            stored.paused = stored.paused.take().filter(holds);
            stored.controls.pause = stored.paused.as_ref().map(|paused| paused.pause.clone());
            let running = running.get(executor).copied().unwrap_or_default();
            stored.controls.concurrency = stored.max_running.map(|limit| Concurrency::new(running, limit));
            if stored.controls.is_in_force(now) {
                names.insert(executor.clone());
            }
        }
        let mut standing = |executor: ExecutorName| {
            let Stored { paused, controls, .. } = stored.remove(&executor).unwrap_or_default();
            let runs_it = |node: &&SeenNode| !node.is_silent(now) && node.executors.is_some() && node.runs(&executor);
            Standing {
                paused,
                controls,
                running: running.get(&executor).copied().unwrap_or_default(),
                queue: queues.remove(&executor).unwrap_or_default(),
                nodes: nodes.iter().filter(runs_it).count(),
                executor,
            }
        };
        let executors = names.into_iter().map(&mut standing).collect();
        Self { now, paused, nodes, executors, runs, tags: Vec::new(), shared }
    }

    /// … and these tags are paused, or were until the ends of the pauses.
    #[must_use]
    pub fn with_paused_tags(self, tags: Vec<Paused>) -> Self {
        let now = self.now;
        Self { tags: tags.into_iter().filter(|paused| paused.pause.holds(now)).collect(), ..self }
    }

    /// How this executor stands; `None`: nothing is known of it.
    pub fn executor(&self, name: &ExecutorName) -> Option<&Standing> {
        self.executors.iter().find(|standing| standing.executor == *name)
    }

    /// This member, if it is one.
    pub fn node(&self, node: NodeId) -> Option<&SeenNode> {
        self.nodes.iter().find(|seen| seen.node == node)
    }

    /// How many jobs are executing on a node.
    pub fn running_on(&self, node: NodeId) -> usize {
        self.runs.iter().filter(|((on, _), _)| *on == node).map(|(_, jobs)| jobs).sum()
    }
}
