//! What the dispatcher does when it is told something: by the rest of the node, or by the backend.

use super::{command::Command, idle::Idle, state::Dispatcher};
use crate::{
    backend::WakeReasons,
    context::{JobContext, StopReason},
    engine::runner::Runner,
    model::{Heartbeat, JobId, Lease, NodeId, Outcome, Settlement},
};

impl Dispatcher {
    pub(super) fn handle(&mut self, command: Command) {
        match command {
            Command::Add(runner) => self.add(*runner),
            Command::Join(node) => self.join(node),
            Command::Compare => {
                if let Some((node, heartbeat)) = self.connections.report.take() {
                    self.compare(node, &heartbeat);
                }
            }
            Command::ShutDownWhenIdle => self.idle = self.idle.or(Some(Idle::Unknown)),
            Command::ShutDown => self.shut_down(),
            Command::EndWithProcess => self.end_with_process(),
        }
    }

    fn add(&mut self, runner: Runner) {
        self.connections.presence.send_if_modified(|presence| presence.executors.insert(runner.name.into()));
        self.queues.add(runner);
    }

    fn compare(&mut self, node: NodeId, heartbeat: &Heartbeat) {
        self.give_back_cancelled(&heartbeat.cancelled);
        let running = self.running.by_key();
        heartbeat
            .cancelled
            .iter()
            .filter_map(|run| running.get(run))
            .for_each(|run| run.stop().ask(StopReason::Cancelled));
        if self.claiming.is_some() || self.node != Some(node) {
            return;
        }
        let (settling, waiting) = (self.settlements.runs(), self.queues.waiting_runs());
        let is_known =
            |run: &(JobId, Lease)| running.contains_key(run) || settling.contains(run) || waiting.contains(run);
        for (id, lease) in self.orphans.notice(&heartbeat.runs, is_known) {
            tracing::warn!(job.id = %id, job.lease = %lease, "the node never heard of this run, and gives it back");
            self.settlements.push(Settlement::new(id, lease, Outcome::GiveBack));
        }
    }

    /// The membership has changed: what runs under the old one is somebody else's now.
    fn join(&mut self, node: Option<NodeId>) {
        self.node = node;
        self.connections.presence.send_modify(|presence| presence.node = node);
        self.running.iter().for_each(|run| run.stop().ask(StopReason::NodeLost));
        self.give_back_waiting(|_, _| true);
        self.orphans.clear();
        self.queues.all_ready();
        if node.is_some() {
            let executors: Vec<_> = self.queues.names().collect();
            tracing::info!(?executors, "the node has joined");
        }
    }

    pub(super) fn woken(&mut self, reasons: &WakeReasons) {
        if reasons.all {
            self.queues.all_ready();
        }
        reasons.executors.iter().for_each(|executor| self.queues.ready(executor));
        let is_cancelled = |run: &JobContext| reasons.cancelled.contains(&run.job_id());
        let is_here = || self.running.iter().any(is_cancelled) || self.queues.has_waiting(&reasons.cancelled);
        if !reasons.cancelled.is_empty() && is_here() {
            self.connections.check.notify_one();
        }
    }
}
