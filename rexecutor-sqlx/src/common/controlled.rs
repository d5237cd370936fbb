//! About which executors anything is stored, as far as this process knows.
//!
//! The database tells a node that claims when its process knows too little: so this set may be trusted without asking.

use std::{
    collections::HashSet,
    sync::{PoisonError, RwLock},
};

use rexecutor::{
    backend::{Demand, Scope},
    job::ExecutorName,
};

/// The executors about which anything is stored; all of them, while anything is about the whole cluster.
#[derive(Debug, Default)]
pub(crate) struct Controlled(RwLock<HashSet<ExecutorName>>);

impl Controlled {
    /// They are these.
    pub(crate) fn set(&self, executors: HashSet<ExecutorName>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = executors;
    }

    /// Those demands about whose executors nothing is stored, and the others; `None`: nothing is about any of them.
    pub(crate) fn split(&self, demands: &[Demand]) -> Option<(Vec<Demand>, Vec<Demand>)> {
        let controlled = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_whole = controlled.contains(&Scope::CLUSTER_NAME);
        let is_plain = |demand: &Demand| !is_whole && !controlled.contains(&demand.executor);
        if controlled.is_empty() || demands.iter().all(is_plain) {
            return None;
        }
        Some(demands.iter().cloned().partition(is_plain))
    }
}
