//! Queues from which claims most likely get all that they ask for.

use std::collections::HashSet;

use rexecutor::{backend::Demand, job::ExecutorName};

/// Executors whose last claim got all that it asked for, from their first priority.
#[derive(Debug, Default)]
pub(super) struct LongQueues(HashSet<ExecutorName>);

impl LongQueues {
    pub(super) fn note(&mut self, executor: &ExecutorName, is_long: bool) {
        if !is_long {
            self.0.remove(executor);
        } else if !self.0.contains(executor) {
            self.0.insert(executor.clone());
        }
    }

    /// Whether all of these are long.
    pub(super) fn are(&self, demands: &[Demand]) -> bool {
        // What asks for nothing would learn nothing either, not even that the node is no member.
        !demands.is_empty() && demands.iter().all(|demand| demand.limit > 0 && self.0.contains(&demand.executor))
    }
}
