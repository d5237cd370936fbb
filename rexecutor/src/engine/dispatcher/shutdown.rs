//! How a node stops: it lets jobs end, drops those that do not, gives them back, and stores what is left to store.

use std::time::Duration;

use super::{phase::Phase, state::Dispatcher};
use crate::model::{Outcome, Settlement};

/// How long jobs may take to notice that they were dropped.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// How long a node that shuts down waits for a backend that is away.
const LEAVE_GRACE: Duration = Duration::from_secs(10);

impl Dispatcher {
    /// Begins to shut down, unless that has begun.
    pub(super) fn shut_down(&mut self) {
        if self.phase == Phase::Open {
            tracing::info!(running = self.running.len(), "the node is shutting down");
            self.give_back_waiting(|_, _| true);
            self.enter(Phase::Draining, self.options.shutdown_grace);
        }
    }

    pub(super) fn enter(&mut self, phase: Phase, grace: Duration) {
        self.phase = phase;
        self.grace = Some(self.environment.clock.sleep(grace));
    }

    /// Goes on with shutting down as soon as nothing is left to wait for, through as many phases as have nothing to do.
    pub(super) fn next_phase(&mut self) {
        self.leave_if_idle();
        let is_drained = self.running.is_empty() && self.claiming.is_none();
        if matches!(self.phase, Phase::Draining | Phase::Aborting) && is_drained {
            self.enter(Phase::Leaving, LEAVE_GRACE);
        }
        if self.phase == Phase::Leaving && self.settlements.is_empty() && self.claiming.is_none() {
            self.phase = Phase::Over;
        }
    }

    pub(super) fn phase_is_over(&mut self) {
        match self.phase {
            Phase::Draining => {
                tracing::warn!(
                    running = self.running.len(),
                    "the grace for shutting down is over, jobs are given back"
                );
                self.running.iter().for_each(|run| run.stop().abort());
                self.enter(Phase::Aborting, ABORT_GRACE);
            }
            Phase::Aborting => {
                for (id, lease) in self.running.take() {
                    self.settlements.push(Settlement::new(id, lease, Outcome::GiveBack));
                }
                self.enter(Phase::Leaving, LEAVE_GRACE);
            }
            Phase::Leaving => {
                tracing::error!(
                    outcomes = self.settlements.len(),
                    "the backend is away, outcomes are lost, their jobs will be rescued"
                );
                self.phase = Phase::Over;
            }
            Phase::Open | Phase::Over => {}
        }
    }
}
