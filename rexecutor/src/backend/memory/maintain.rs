//! Members, what they lose, and what is pruned.

use chrono::{DateTime, Utc};

use super::store::{Joined, Store};
use crate::{
    backend::lifecycle,
    model::{ExecutorName, JobId, JobRow, Member, Node, NodeId, PruneRule, PruneSpec, Unserved},
};

impl Store {
    pub(super) fn join(&mut self, new: &Node, now: DateTime<Utc>) -> NodeId {
        self.last_node += 1;
        let node = NodeId(self.last_node);
        let member = Member::new(node, 0, new.timeout);
        let (label, about) = (new.label.clone(), new.about.clone());
        self.nodes.insert(node, Joined { member, seen_at: now, executors: None, label, about, since: now });
        node
    }

    /// The runs of a node.
    pub(super) fn runs(&self, node: NodeId) -> impl Iterator<Item = &JobRow> {
        self.indexes.runs(node).into_iter().filter_map(|id| self.rows.get(&id)).map(|stored| &stored.row)
    }

    /// Discards the jobs that are blocked or wait and whose deadline has come.
    pub(super) fn expire(&mut self, now: DateTime<Utc>) {
        for id in self.indexes.overdue(now) {
            let _ = self.change(id, |row| lifecycle::expire(row, now));
        }
    }

    /// Ends the membership of the dead, unless they were heard since, and the runs of every node that is no member.
    pub(super) fn rescue(&mut self, dead: &[Member], now: DateTime<Utc>) -> Vec<ExecutorName> {
        self.nodes.retain(|_, joined| {
            !dead.iter().any(|dead| (dead.node, dead.beats) == (joined.member.node, joined.member.beats))
        });
        let lost = self.indexes.executing().into_iter().filter(|(node, _)| !self.nodes.contains_key(node));
        let lost: Vec<JobId> = lost.map(|(_, id)| id).collect();
        let rescue = |id: JobId| {
            self.change(id, |row| {
                lifecycle::rescue(row, now);
                row.executor.clone()
            })
        };
        lost.into_iter().filter_map(rescue).collect()
    }

    /// The executors that have waiting jobs and that no living member runs.
    pub(super) fn unserved(&self, now: DateTime<Utc>) -> Vec<Unserved> {
        let alive = || self.nodes.values().filter(|member| !member.is_silent(now));
        if alive().any(|member| member.executors.is_none()) {
            return Vec::new();
        }
        let is_run = |executor| alive().flat_map(|member| &member.executors).any(|runs| runs.contains(executor));
        let waiting = self.indexes.waiting().filter(|(executor, _)| !is_run(executor));
        let unserved = waiting.map(|(executor, jobs)| Unserved::new(executor.clone(), jobs.min(Unserved::MOST_JOBS)));
        unserved.take(Unserved::MOST_EXECUTORS).collect()
    }

    pub(super) fn prune(&mut self, spec: &PruneSpec, limit: usize, now: DateTime<Utc>) -> usize {
        let matches = |row: &&JobRow| {
            let is_over = row.status.is_finished() && !row.halts_line() && !self.is_in_open_flow(row);
            is_over && row.status == spec.status && spec.executors.contains(&row.executor)
        };
        let mut finished: Vec<(Option<DateTime<Utc>>, JobId)> =
            self.rows().filter(matches).map(|row| (row.finished_at(), row.id)).collect();
        finished.sort_unstable();
        let excess = match spec.rule {
            PruneRule::MaxAge(age) => {
                let before = now.checked_sub_signed(age);
                finished
                    .iter()
                    .take_while(|(at, _)| before.is_some_and(|before| at.is_some_and(|at| at < before)))
                    .count()
            }
            PruneRule::MaxLength(length) => finished.len().saturating_sub(length as usize),
        };
        finished.truncate(excess.min(limit));
        let flow_of = |(_, id): &(_, JobId)| self.rows.get(id)?.row.extras.flow;
        let flows = finished.iter().filter_map(flow_of).collect();
        for (_, id) in &finished {
            self.delete(*id);
        }
        self.forget_flows(flows);
        finished.len()
    }
}
