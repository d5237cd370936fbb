//! Which executors may be given how many jobs: limits, and a fair share of what is free.
//!
//! # Invariants
//!
//! - An executor never runs more jobs than its limit, and all of them together never more than the node's.
//! - While the node has more slots than executors, each executor can always run one job: a busy one leaves a slot for
//!   every other.

use std::{collections::BTreeMap, sync::Arc};

use super::Runner;
use crate::{backend::Slots, job::ExecutorName};

/// One executor on this node.
struct Line {
    runner: Arc<dyn Runner>,
    limit: Option<usize>,
    running: usize,
    /// Whether it may have due jobs: it was rung for, or had as many as were asked for.
    is_ready: bool,
}

/// The executors of this node.
pub(super) struct Lines {
    lines: BTreeMap<ExecutorName, Line>,
    max_running: usize,
}

impl Lines {
    pub(super) fn new(max_running: usize) -> Self {
        Self { lines: BTreeMap::new(), max_running }
    }

    pub(super) fn add(&mut self, runner: Arc<dyn Runner>) {
        let limit = runner.max_concurrency();
        let line = Line { runner, limit, running: 0, is_ready: true };
        self.lines.entry(ExecutorName::from(line.runner.name())).or_insert(line);
    }

    pub(super) fn runner(&self, executor: &str) -> Option<&Arc<dyn Runner>> {
        self.lines.get(executor).map(|line| &line.runner)
    }

    pub(super) fn ready(&mut self, executor: &ExecutorName) {
        if let Some(line) = self.lines.get_mut(executor) {
            line.is_ready = true;
        }
    }

    pub(super) fn all_ready(&mut self) {
        self.lines.values_mut().for_each(|line| line.is_ready = true);
    }

    /// Counts a job as running; whether there is such an executor here.
    pub(super) fn started(&mut self, executor: &str) -> bool {
        match self.lines.get_mut(executor) {
            Some(line) => {
                line.running += 1;
                true
            }
            None => false,
        }
    }

    pub(super) fn ended(&mut self, executor: &str) {
        if let Some(line) = self.lines.get_mut(executor) {
            line.running = line.running.saturating_sub(1);
        }
    }

    /// What to claim now, at most `most`: the free slots shared among the executors that may have jobs. They count as
    /// not ready from here on; whoever is rung for meanwhile, or had all that was asked for, becomes ready again.
    pub(super) fn take_slots(&mut self, most: usize) -> Vec<Slots> {
        if !self.lines.values().any(|line| line.is_ready) {
            return Vec::new();
        }
        let running: usize = self.lines.values().map(|line| line.running).sum();
        let mut free = self.max_running.saturating_sub(running).min(most);
        // All but the slots that the others are entitled to, so that one executor cannot take everything.
        let most_each = self.max_running.saturating_sub(self.lines.len().saturating_sub(1)).max(1);
        let room =
            |line: &Line| line.limit.map_or(most_each, |limit| limit.min(most_each)).saturating_sub(line.running);
        let ready = self.lines.iter_mut().filter(|(_, line)| line.is_ready && room(line) > 0);
        let mut ready: Vec<_> = ready.collect();
        ready.sort_by_key(|(_, line)| line.running);
        let mut slots = Vec::new();
        let mut waiting = ready.len();
        for (executor, line) in ready {
            let share = room(line).min(free.div_ceil(waiting));
            waiting -= 1;
            if share > 0 {
                free -= share;
                line.is_ready = false;
                slots.push(Slots { executor: executor.clone(), free: share });
            }
        }
        slots
    }

    /// The runners' names, for logs.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.keys().map(ExecutorName::as_str)
    }
}
