//! The executor with a circuit breaker, and how many of its jobs may begin.

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    Executor,
    backend::{Claimed, Filter, JobRow, Scope, Settlement},
    executor::CircuitBreaker,
    job::JobStatus,
};

use super::{
    Planted,
    audit::Audit,
    jobs::{BREAKER, Fragile},
    record::RunKey,
};

/// What its breaker has to be like.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: Vec<DateTime<Utc>>,
    open_until: Option<DateTime<Utc>>,
    /// The run that was let through last.
    trial: Option<RunKey>,
}

impl Breaker {
    fn failed(&mut self, is_trial: bool, now: DateTime<Utc>) {
        let until = now + TimeDelta::from_std(BREAKER.pause).unwrap_or_default();
        if self.open_until.is_some() {
            self.open_until = self.open_until.map(|known| if is_trial { until } else { known });
            return;
        }
        let within = TimeDelta::from_std(BREAKER.within).unwrap_or_default();
        self.failures.retain(|at| now - *at < within);
        self.failures.push(now);
        if self.failures.len() >= usize::try_from(BREAKER.after).unwrap_or_default() {
            self.failures.clear();
            self.open_until = Some(until);
        }
    }
}

impl Audit {
    /// How many may begin now.
    pub(super) fn room_for_fragile(&self) -> usize {
        let (open_until, trial) = {
            let known = self.record.known();
            (known.breaker.open_until, known.breaker.trial)
        };
        let runs = |(id, lease): RunKey| {
            let is_run = |row: &JobRow| row.status == JobStatus::Executing && row.lease == lease;
            self.find(&Filter::IdIn(vec![id])).iter().any(is_run)
        };
        match open_until {
            None => usize::MAX,
            Some(until) => usize::from(until <= self.now() && !trial.is_some_and(runs)),
        }
    }

    /// One that was claimed while it was open is let through.
    pub(super) fn claimed_of_fragile(&self, claimed: &Claimed) {
        let mut known = self.record.known();
        for row in claimed.jobs.iter().filter(|row| row.executor.as_str() == Fragile::NAME) {
            if known.breaker.open_until.is_some() {
                known.breaker.trial = Some((row.id, row.lease));
            }
        }
    }

    /// A settlement was accepted.
    pub(super) fn settled_of_fragile(&self, before: &JobRow, settlement: &Settlement) {
        // What somebody has cancelled says nothing.
        let was_cancelled =
            || self.find(&Filter::IdIn(vec![before.id])).iter().any(|row| row.status == JobStatus::Cancelled);
        if before.executor.as_str() != Fragile::NAME || was_cancelled() {
            return;
        }
        let (now, mut known) = (self.now(), self.record.known());
        let is_trial = known.breaker.trial == Some((before.id, before.lease));
        match settlement.outcome.as_str() {
            "retried" | "discarded" => known.breaker.failed(is_trial, now),
            "completed" if is_trial => known.breaker = Breaker::default(),
            _ => {}
        }
    }

    /// Whoever resumes it by hand closes it.
    pub(super) fn resumed(&self, scope: &Scope) {
        let mut known = self.record.known();
        known.paused.remove(scope);
        if *scope == Scope::Executor(Fragile::NAME.into()) {
            known.breaker = Breaker::default();
        }
    }

    /// What a backend with the planted mistake hears of the end of a run.
    pub(super) fn heard_end(&self, settlement: &Settlement) -> Settlement {
        let breaker = settlement.breaker.as_deref().copied();
        let breaker = match self.planted {
            Some(Planted::ForgetsBreakers) => None,
            Some(Planted::OpensLate) => {
                breaker.map(|known| CircuitBreaker::new(known.after + 1, known.within, known.pause))
            }
            _ => breaker,
        };
        settlement.clone().with_circuit_breaker(breaker)
    }
}
