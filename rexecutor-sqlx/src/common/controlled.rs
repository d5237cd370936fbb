//! About which executors anything is stored, as far as this process knows.
//!
//! The database tells a node that claims when its process knows too little: so this set may be trusted without asking.

use std::{
    collections::{HashMap, HashSet},
    sync::{PoisonError, RwLock},
};

use rexecutor::{
    backend::{Demand, Scope},
    job::{ExecutorName, NodeId},
};

/// The executors about which anything is stored; all of them, while anything is about the whole cluster.
#[derive(Debug, Default)]
pub(crate) struct Controlled {
    /// And whether that is a limit.
    known: RwLock<HashMap<ExecutorName, bool>>,
    /// The nodes of this process that are paused, or were until the end of the pause.
    paused: RwLock<HashSet<NodeId>>,
    /// Whose limits each node of this process has declared.
    declared: RwLock<HashSet<(NodeId, ExecutorName)>>,
    /// Whether anybody listens for events. A node learns of a first listener as it learns of controls: its next claim gives nothing before.
    #[cfg(feature = "postgres")]
    is_heard: std::sync::atomic::AtomicBool,
}

impl Controlled {
    /// They are these, with limits or without.
    pub(crate) fn set(&self, executors: HashMap<ExecutorName, bool>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = executors;
    }

    /// Whether anybody listens for events, as far as this process knows.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_heard(&self) -> bool {
        self.is_heard.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Whether anybody does.
    #[cfg(feature = "postgres")]
    pub(crate) fn set_heard(&self, is_heard: bool) {
        self.is_heard.store(is_heard, std::sync::atomic::Ordering::Relaxed);
    }

    /// Whether this node is paused.
    pub(crate) fn set_paused(&self, node: NodeId, is_paused: bool) {
        let mut paused = self.paused.write().unwrap_or_else(PoisonError::into_inner);
        match is_paused {
            true => paused.insert(node),
            false => paused.remove(&node),
        };
    }

    /// Whether this node is to look for a pause of its own.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_paused(&self, node: NodeId) -> bool {
        self.paused.read().unwrap_or_else(PoisonError::into_inner).contains(&node)
    }

    /// Whether anything is stored about the whole cluster, or about tags.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_whole(&self) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.contains_key(&Scope::CLUSTER_NAME)
    }

    /// Those of a node's demands about whose executors nothing is stored, and the others; `None`: nothing is about any of them.
    pub(crate) fn split(&self, node: NodeId, demands: &[Demand]) -> Option<(Vec<Demand>, Vec<Demand>)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_paused = self.paused.read().unwrap_or_else(PoisonError::into_inner).contains(&node);
        let is_whole = is_paused || known.contains_key(&Scope::CLUSTER_NAME);
        let is_plain =
            |demand: &Demand| !is_whole && !demand.cluster.is_some() && !known.contains_key(&demand.executor);
        if demands.iter().all(is_plain) {
            return None;
        }
        Some(demands.iter().cloned().partition(is_plain))
    }

    /// The executors that have a limit, of those that are asked for.
    #[cfg(feature = "postgres")]
    pub(crate) fn limited(&self, demands: &[Demand]) -> Vec<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_limited = |demand: &&Demand| known.get(&demand.executor).copied().unwrap_or_default();
        demands.iter().filter(is_limited).map(|demand| demand.executor.to_string()).collect()
    }

    /// The demands that declare limits which this node has not declared yet, by executor.
    pub(crate) fn undeclared(&self, node: NodeId, demands: &[Demand]) -> Vec<Demand> {
        if demands.iter().all(|demand| !demand.cluster.is_some()) {
            return Vec::new();
        }
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        let is_new =
            |demand: &&Demand| demand.cluster.is_some() && !declared.contains(&(node, demand.executor.clone()));
        let mut new: Vec<Demand> = demands.iter().filter(is_new).cloned().collect();
        new.sort_unstable_by(|one, other| one.executor.cmp(&other.executor));
        new
    }

    /// The limits of these demands are stored as the node's.
    pub(crate) fn declared(&self, node: NodeId, demands: Vec<Demand>) {
        let mut declared = self.declared.write().unwrap_or_else(PoisonError::into_inner);
        declared.extend(demands.into_iter().map(|demand| (node, demand.executor)));
    }
}
