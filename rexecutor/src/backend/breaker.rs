//! Circuit breakers: executors that are paused by themselves because their attempts keep failing.
//!
//! ```text
//!           after so many failures            the pause is over
//!   closed ────────────────────────► open ───────────────────────► one job is let through
//!      ▲                              ▲                                  │         │
//!      │                              └─────────── it fails ─────────────┘         │
//!      └────────────────────────────────────────── it succeeds ────────────────────┘
//! ```
//!
//! # Invariants
//!
//! - Failures are counted in the transaction that stores them. Of executors that declare no breaker nothing is looked up or
//!   stored.
//! - The job that is let through is a row that is executing with the mark [`TRIAL`](Marks::TRIAL). So there is one at a time,
//!   and one whose node dies is followed by another.
//! - No other end of a run changes a breaker that is open: what began before it opened may still fail or succeed.

use chrono::{DateTime, TimeDelta, Utc};

use super::lifecycle;
use crate::model::{ExecutorName, JobId, JobRow, JobStatus, Outcome, Settlement, after};

#[cfg(doc)]
use crate::model::Marks;

/// What the end of a run says about its executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The attempt failed.
    #[non_exhaustive]
    Failed {
        /// Whether it was the one that was let through.
        is_trial: bool,
    },
    /// The one that was let through has succeeded.
    Passed,
    /// The one that was let through has ended in a way that says nothing, as with a snooze: another one is let through.
    Undecided,
}

impl Verdict {
    /// What a run says that has just been settled.
    pub(super) fn of(row: &JobRow, outcome: &Outcome, is_trial: bool) -> Option<Self> {
        let was_cancelled = row.status == JobStatus::Cancelled;
        match outcome {
            _ if was_cancelled => is_trial.then_some(Self::Undecided),
            outcome if outcome.fault().is_some() => Some(Self::Failed { is_trial }),
            Outcome::Complete { .. } => is_trial.then_some(Self::Passed),
            _ => is_trial.then_some(Self::Undecided),
        }
    }

    /// Whether anything is to be looked up because of it: a failure counts only if its executor declares a breaker.
    pub fn is_heard(self, settlement: &Settlement) -> bool {
        self != Self::Failed { is_trial: false } || settlement.breaker.is_some()
    }
}

/// What is stored of an executor's breaker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breaker {
    /// When attempts failed, the newest last, while it is closed.
    pub failures: Vec<DateTime<Utc>>,
    /// How it is open; `None`: it is closed.
    pub open: Option<OpenBreaker>,
}

/// A breaker that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenBreaker {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Until when no job is let through.
    pub until: DateTime<Utc>,
    /// For how long it stays open when the job that is let through fails.
    pub pause: TimeDelta,
    /// The last error.
    pub reason: String,
}

impl OpenBreaker {
    /// Open since then, with nothing let through before `until`.
    pub fn new(since: DateTime<Utc>, until: DateTime<Utc>, pause: TimeDelta, reason: impl Into<String>) -> Self {
        Self { since, until, pause, reason: reason.into() }
    }
}

/// What claims keep to of a breaker that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldByBreaker {
    /// How it is open.
    pub open: OpenBreaker,
    /// Whether the job that was let through is executing.
    pub is_tried: bool,
}

impl HeldByBreaker {
    /// Open in this way.
    pub fn new(open: OpenBreaker, is_tried: bool) -> Self {
        Self { open, is_tried }
    }

    /// Whether one job may be let through now.
    pub(super) fn may_try(&self, now: DateTime<Utc>) -> bool {
        self.open.until <= now && !self.is_tried
    }
}

/// What has become of a breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerNotice {
    /// Whose it is.
    pub executor: ExecutorName,
    kind: Kind,
    job: JobId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Opened(OpenBreaker, usize),
    StaysOpen(OpenBreaker),
    Closed,
    Undecided,
}

impl Breaker {
    /// Takes in what the end of a run says; returns what has become of it, if that is more than one failure counted.
    pub fn heed(
        &mut self,
        executor: &ExecutorName,
        verdict: Verdict,
        settlement: &Settlement,
        now: DateTime<Utc>,
    ) -> Option<BreakerNotice> {
        let declared = settlement.breaker.as_deref();
        let reason = || {
            let fault = settlement.outcome.fault();
            fault.map_or(String::new(), |fault| shown(&format!("`{}`: {}", fault.error_type, fault.details)))
        };
        let kind = match (verdict, &mut self.open, declared) {
            (Verdict::Failed { is_trial: true }, Some(open), _) => {
                open.pause = declared.map_or(open.pause, |declared| delta(declared.pause));
                (open.until, open.reason) = (after(now, open.pause), reason());
                Some(Kind::StaysOpen(open.clone()))
            }
            (Verdict::Failed { .. }, None, Some(declared)) => {
                // What lies ahead was counted before a clock was set back.
                let within = delta(declared.within);
                self.failures.retain(|at| *at <= now && now - *at < within);
                self.failures.push(now);
                let most = usize::try_from(declared.after).unwrap_or(usize::MAX).max(1);
                let count = self.failures.len();
                self.failures.drain(..count.saturating_sub(most));
                (count >= most).then(|| {
                    let pause = delta(declared.pause);
                    let open = OpenBreaker::new(now, after(now, pause), pause, reason());
                    self.open = Some(open.clone());
                    self.failures.clear();
                    Kind::Opened(open, count)
                })
            }
            (Verdict::Passed, Some(_), _) => {
                self.open = None;
                Some(Kind::Closed)
            }
            (Verdict::Undecided, Some(_), _) => Some(Kind::Undecided),
            _ => None,
        };
        kind.map(|kind| BreakerNotice { executor: executor.clone(), kind, job: settlement.id })
    }

    /// The clock, which was last known to show `before`, was set back to `now`: it stays open no longer for it. Returns whether that
    /// changes anything. To do it again changes nothing more.
    pub fn set_back(&mut self, before: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        match &mut self.open {
            // It began before what the clock shows now: then it was moved already, or is over.
            Some(open) if open.until - open.pause > now => {
                open.until = lifecycle::set_back_throttle(open.until, before, now);
                open.since = open.since.min(now);
                true
            }
            _ => false,
        }
    }
}

impl BreakerNotice {
    /// Whether every node has to know of it before it claims.
    pub fn outdates(&self) -> bool {
        matches!(self.kind, Kind::Opened(..))
    }

    /// Whether jobs of the executor may be claimed now that could not before.
    pub fn wakes(&self) -> bool {
        matches!(self.kind, Kind::Closed | Kind::Undecided)
    }

    /// Says so in the log, once it is stored.
    pub fn log(&self) {
        let (executor, job) = (self.executor.as_str(), self.job.as_i64());
        match &self.kind {
            Kind::Opened(open, failures) => tracing::warn!(
                job.executor = executor,
                job.id = job,
                failures,
                until = %open.until,
                error = open.reason,
                "attempts keep failing: the circuit breaker pauses the executor"
            ),
            Kind::StaysOpen(open) => tracing::warn!(
                job.executor = executor,
                job.id = job,
                until = %open.until,
                error = open.reason,
                "the job that the circuit breaker let through has failed: the executor stays paused"
            ),
            Kind::Closed => tracing::info!(
                job.executor = executor,
                job.id = job,
                "the job that the circuit breaker let through has succeeded: the executor is resumed"
            ),
            Kind::Undecided => {}
        }
    }
}

fn delta(time: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or(crate::limits::MAX_DELAY).min(crate::limits::MAX_DELAY)
}

/// An error as it is shown in a sentence: the whole of it is stored with its job.
pub(super) fn shown(error: &str) -> String {
    const MOST: usize = 500;
    match error.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &error[..end]),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{CircuitBreaker, ErrorType, Failure, Lease};

    const BREAKER: CircuitBreaker = CircuitBreaker::new(3, Duration::from_secs(60), Duration::from_secs(300));

    struct World {
        breaker: Breaker,
        now: DateTime<Utc>,
    }

    impl World {
        fn at(&mut self, seconds: i64, verdict: Verdict) -> Option<BreakerNotice> {
            self.now = DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
            let outcome = match verdict {
                Verdict::Failed { .. } => {
                    Outcome::retry(TimeDelta::zero(), Failure::new(ErrorType::Timeout, format!("at {seconds}")))
                }
                _ => Outcome::complete(true),
            };
            let settlement = Settlement::new(JobId::from(1), Lease(1), outcome).with_circuit_breaker(Some(BREAKER));
            self.breaker.heed(&"mail".into(), verdict, &settlement, self.now)
        }
    }

    const FAILED: Verdict = Verdict::Failed { is_trial: false };
    const TRIAL_FAILED: Verdict = Verdict::Failed { is_trial: true };

    #[test]
    fn it_opens_is_tried_and_closes() {
        let mut world = World { breaker: Breaker::default(), now: DateTime::UNIX_EPOCH };
        assert_eq!([0, 30, 60].map(|at| world.at(at, FAILED)), [None, None, None], "the first is 60 s old");
        assert!(world.at(89, FAILED).is_some_and(|notice| notice.outdates()), "30, 60 and 89");
        let open = world.breaker.open.clone().unwrap();
        assert_eq!((open.since, open.until - open.since), (world.now, TimeDelta::seconds(300)));
        assert_eq!(open.reason, "`timeout`: at 89");
        assert_eq!(world.at(100, FAILED), None, "it began before");
        assert_eq!(world.breaker.open, Some(open.clone()));
        assert!(world.at(390, Verdict::Undecided).is_some_and(|notice| notice.wakes() && !notice.outdates()));
        assert!(world.at(400, TRIAL_FAILED).is_some_and(|notice| !notice.wakes()));
        let again = world.breaker.open.clone().unwrap();
        assert_eq!((again.since, again.until), (open.since, world.now + TimeDelta::seconds(300)));
        assert!(world.at(700, Verdict::Passed).is_some_and(|notice| notice.wakes()));
        assert_eq!(world.breaker, Breaker::default());
        assert_eq!([701, 702].map(|at| world.at(at, FAILED)), [None, None], "it counts anew");
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nothing_open_or_counted() {
        let mut world = World { breaker: Breaker::default(), now: DateTime::UNIX_EPOCH };
        for at in [10_000, 10_001, 0, 1] {
            assert_eq!(world.at(at, FAILED), None);
        }
        assert!(world.at(2, FAILED).is_some());
        let (before, now) = (world.now + TimeDelta::seconds(100), world.now - TimeDelta::seconds(5_000));
        assert!(world.breaker.set_back(before, now));
        assert_eq!(world.breaker.open.as_ref().map(|open| open.until), Some(now + TimeDelta::seconds(200)));
        assert!(!world.breaker.set_back(before, now), "it was done");
        assert_eq!(world.breaker.open.as_ref().map(|open| open.until), Some(now + TimeDelta::seconds(200)));
    }

    #[test]
    fn a_long_error_is_cut_between_characters() {
        let long = "é".repeat(600);
        assert_eq!(shown(&long).chars().count(), 501);
        assert_eq!(shown("short"), "short");
    }
}
