//! How a node stops: it lets jobs end, tells those to stop that do not, drops them, gives them back, and stores what is left
//! to store.
//!
//! | phase | lasts at most |
//! | --- | --- |
//! | draining | the shutdown grace |
//! | stopping | the cancel grace, and [`NOTICE`] |
//! | blocked | until the threads of blocking jobs have ended; where the process is to end, not at all |
//! | leaving | what is left of the shutdown grace, at least [`LAST_TRY`] |

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;

use super::{phase::Phase, state::Dispatcher};
use crate::{
    context::StopReason,
    model::{Outcome, Settlement},
};

/// How long jobs may take to notice that they were dropped.
const NOTICE: Duration = Duration::from_secs(1);

/// How long a node tries at least to store what is left, and waits for a claim that is under way.
const LAST_TRY: Duration = Duration::from_secs(2);

/// How often a node says what it waits for.
const REMINDER: Duration = Duration::from_secs(60);

/// When jobs are due again whose threads are ended by the end of the process: it has ended by then.
const AFTER_THE_END: TimeDelta = TimeDelta::seconds(2);

impl Dispatcher {
    /// Begins to shut down, unless that has begun.
    pub(super) fn shut_down(&mut self) {
        if self.phase == Phase::Open {
            tracing::info!(running = self.running.len(), "the node is shutting down");
            self.give_back_waiting(|_, _| true);
            self.drained_by = self.environment.clock.elapsed().checked_add(self.options.shutdown_grace);
            self.enter(Phase::Draining, self.options.shutdown_grace);
        }
    }

    /// Ends as soon as it can, for the process is about to: jobs are dropped, and those that cannot be are given back for
    /// when it has ended.
    pub(super) fn end_with_process(&mut self) {
        self.shut_down();
        self.ends_with_process = true;
        self.running.iter().for_each(|run| {
            run.stop().ask(StopReason::ShuttingDown);
            run.stop().abort();
        });
        match self.phase {
            Phase::Draining | Phase::Stopping => self.enter(Phase::Stopping, NOTICE),
            Phase::Blocked => self.give_up(),
            Phase::Open | Phase::Leaving | Phase::Over => {}
        }
    }

    fn enter(&mut self, phase: Phase, grace: Duration) {
        self.phase = phase;
        self.grace = Some(self.environment.clock.sleep(grace));
    }

    /// Goes on with shutting down as soon as nothing is left to wait for, through as many phases as have nothing to do.
    pub(super) fn next_phase(&mut self) {
        self.leave_if_idle();
        if matches!(self.phase, Phase::Draining | Phase::Stopping | Phase::Blocked) && self.running.is_empty() {
            self.enter_leaving();
        }
        // A claim that is asked of a backend which is away gives nothing.
        let is_claiming = self.claiming.is_some() && !self.outage.lasts();
        if self.phase == Phase::Leaving && self.settlements.is_empty() && !is_claiming {
            self.phase = Phase::Over;
        }
    }

    fn enter_leaving(&mut self) {
        let wait = match self.settlements.is_empty() {
            true => LAST_TRY,
            false => self.left_to_drain().max(LAST_TRY),
        };
        self.enter(Phase::Leaving, wait);
    }

    /// What is left of the shutdown grace.
    fn left_to_drain(&self) -> Duration {
        self.drained_by.map_or(Duration::MAX, |by| by.saturating_sub(self.environment.clock.elapsed()))
    }

    pub(super) fn phase_is_over(&mut self) {
        match self.phase {
            Phase::Draining => {
                tracing::warn!(running = self.running.len(), "the shutdown grace is over, jobs are told to stop");
                self.running.iter().for_each(|run| run.stop().ask(StopReason::ShuttingDown));
                self.enter(Phase::Stopping, self.options.cancel_grace.saturating_add(NOTICE));
            }
            Phase::Stopping if self.ends_with_process => self.give_up(),
            Phase::Stopping | Phase::Blocked => {
                let executors: BTreeSet<&str> = self.running.iter().map(|run| run.executor()).collect();
                tracing::warn!(
                    running = self.running.len(),
                    ?executors,
                    "jobs block their threads and cannot be stopped: the node waits for them"
                );
                self.connections.blocked.cancel();
                self.enter(Phase::Blocked, REMINDER);
            }
            // A claim has given something back.
            Phase::Leaving if !self.settlements.is_empty() && !self.left_to_drain().is_zero() => self.enter_leaving(),
            Phase::Leaving => {
                let outcomes = self.settlements.runs().len();
                if outcomes > 0 {
                    tracing::error!(outcomes, "the backend is away, outcomes are lost: their jobs will be rescued");
                }
                self.phase = Phase::Over;
            }
            Phase::Open | Phase::Over => {}
        }
    }

    /// Gives back what blocks its thread.
    fn give_up(&mut self) {
        let runs = self.running.take();
        if !runs.is_empty() {
            tracing::warn!(
                running = runs.len(),
                "jobs block their threads: they are given back, and end with the process"
            );
            self.connections.given_up.cancel();
        }
        for (id, lease) in runs {
            self.settlements.push(Settlement::new(id, lease, Outcome::snooze(AFTER_THE_END)));
        }
        self.enter_leaving();
    }
}
