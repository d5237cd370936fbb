//! What a claim has to give, and whether it does; and whether what is settled may be.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use rexecutor::{
    Executor,
    backend::{Bucket, Claimed, Demand, Filter, JobRow, Outcome, Scope, Settlement, lifecycle},
    job::{ExecutorName, JobId, JobStatus, Lease, NodeId},
};

use super::{
    audit::Audit,
    jobs::{Keyed, Ordered, RATE, Rated, Scarce},
    record::Stage,
    shares::{SHARERS, Shares},
    turns::Claimable,
};

static PENDING: LazyLock<Filter> = LazyLock::new(|| Filter::StatusIn(vec![JobStatus::Scheduled, JobStatus::Retryable]));

static EXECUTING: LazyLock<Filter> = LazyLock::new(|| Filter::StatusIn(vec![JobStatus::Executing]));

/// Those whose keys take turns.
const TAKE_TURNS: [&str; 2] = [Keyed::NAME, Ordered::NAME];

/// What a claim has to give, and what it may give of those whose keys take turns, or that share a limit.
pub(super) struct Expected {
    next: Vec<JobId>,
    keyed: Vec<Claimable>,
    shares: Shares,
}

impl Audit {
    /// Whether it is known which of an executor's jobs are claimed next, whatever runs of others. A bucket of tokens that was seen to be
    /// full stays so when a clock is set back, and nobody knows who has seen it.
    fn is_in_order(&self, executor: &str) -> bool {
        let is_unknown = executor == Rated::NAME && self.record.known().was_stepped_back;
        !TAKE_TURNS.contains(&executor) && !SHARERS.contains(&executor) && !is_unknown
    }

    /// The runs that a claim has to give, but for those whose keys take turns; and what it may give of these.
    pub(super) fn expected(&self, demands: &[Demand]) -> Expected {
        let (now, rows) = (self.now(), self.find(&PENDING));
        let due = |executor: &ExecutorName| {
            let is_due = |row: &&JobRow| row.executor == *executor && lifecycle::is_due(row, now);
            let mut due: Vec<_> =
                rows.iter().filter(is_due).map(|row| (row.priority, row.scheduled_at, row.id)).collect();
            due.sort_unstable();
            due
        };
        let is_paused = |executor: &ExecutorName| {
            let holds = |scope: Scope| {
                let until = self.record.known().paused.get(&scope).copied();
                until.is_some_and(|until| until.is_none_or(|until| now < until))
            };
            holds(Scope::Cluster) || holds(Scope::Executor(executor.clone()))
        };
        let open = || demands.iter().filter(|demand| !is_paused(&demand.executor));
        let in_order = open().filter(|demand| self.is_in_order(demand.executor.as_str()));
        let most = |demand: &Demand| match demand.executor.as_str() {
            Scarce::NAME => demand.limit.min(self.room_for_scarce()),
            Rated::NAME => demand.limit.min(self.tokens()),
            _ => demand.limit,
        };
        let next = in_order.flat_map(|demand| due(&demand.executor).into_iter().take(most(demand)));
        let (keyed, shares) = (Claimable::of(open(), &self.rows(), now), Shares::of(open(), &self.rows(), now));
        Expected { next: next.map(|(.., id)| id).collect(), keyed, shares }
    }

    pub(super) fn running(&self, executor: &str) -> usize {
        self.find(&EXECUTING).iter().filter(|row| row.executor.as_str() == executor).count()
    }

    /// How many jobs of the executor with a rate may start now, by those that have.
    fn tokens(&self) -> usize {
        let (interval, burst) = Bucket::numbers(RATE);
        let taken = self.started().iter().fold(Bucket::new(interval, burst, None), |bucket, at| bucket.without(1, *at));
        taken.tokens(self.now())
    }

    /// Notes that so many have, and looks at every window of time that ends now. Where the clock was set back, another one begins.
    fn check_rate(&self, count: usize) {
        let (now, mut started) = (self.now(), self.started());
        started.extend(std::iter::repeat_n(now, count));
        let mut later = now;
        for (count, first) in (1_u32..).zip(started.iter().rev()) {
            if *first > later {
                break;
            }
            later = *first;
            let brought = i128::from((now - *first).num_nanoseconds().unwrap_or(i64::MAX)) / RATE.interval();
            if i128::from(count) > i128::from(RATE.burst) + brought {
                self.record.broken(format_args!("{count} of {} were claimed from {first} to {now}", Rated::NAME));
            }
        }
    }

    fn started(&self) -> MutexGuard<'_, Vec<DateTime<Utc>>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_claim(&self, node: NodeId, expected: &Expected, claimed: &Claimed) {
        let ids: Vec<JobId> = claimed.jobs.iter().map(|row| row.id).collect();
        if !ids.is_empty() {
            self.record.note(format_args!("member {node} claims {ids:?}"));
        }
        let Expected { next: expected, keyed, shares } = expected;
        let others = claimed.jobs.iter().filter(|row| self.is_in_order(row.executor.as_str()));
        let others: Vec<JobId> = others.map(|row| row.id).collect();
        if claimed.member && others != *expected {
            self.record.broken(format_args!("member {node} claimed {others:?}, but {expected:?} were next"));
        }
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        for before in keyed.iter().filter(|_| claimed.member) {
            if let Some(wrong) = turns.entry(before.executor).or_default().check(before, &claimed.jobs) {
                self.record.broken(format_args!("member {node}: {wrong}"));
            }
        }
        drop(turns);
        if let Some(wrong) = shares.check(&claimed.jobs).filter(|_| claimed.member) {
            self.record.broken(format_args!("member {node}: {wrong}"));
        }
        self.check_rate(claimed.jobs.iter().filter(|row| row.executor.as_str() == Rated::NAME).count());
        self.check_scarce();
        let mut known = self.record.known();
        for row in &claimed.jobs {
            let place = known.claimed.len() as u64;
            known.claimed.insert((row.id, row.lease), place);
        }
    }

    pub(super) fn check_settled(&self, before: &[JobRow], settlements: &[Settlement], refused: &[(JobId, Lease)]) {
        let rows: BTreeMap<JobId, &JobRow> = before.iter().map(|row| (row.id, row)).collect();
        for Settlement { id, lease, outcome, .. } in settlements {
            let is_run = rows.get(id).is_some_and(|row| row.status == JobStatus::Executing && row.lease == *lease);
            let is_accepted = !refused.contains(&(*id, *lease));
            let word = outcome.as_str();
            self.record.note(format_args!("settle {id}/{} {word}: {is_accepted}", lease.0));
            if is_run != is_accepted {
                self.record.broken(format_args!("a settlement of {id}/{} was accepted: {is_accepted}", lease.0));
            }
            let stage = self.record.known().runs.get(&(*id, *lease)).copied();
            let is_true = match (outcome, stage) {
                (Outcome::GiveBack, stage) => !matches!(stage, Some(Stage::Ended(_) | Stage::EndedLate(_))),
                // A run that was dropped ran out of time, and maybe one that took so long.
                (Outcome::Retry { .. }, Some(Stage::Dropped | Stage::EndedLate(_))) => true,
                (_, Some(Stage::Ended(ended) | Stage::EndedLate(ended))) => ended == word,
                _ => false,
            };
            if is_accepted && !is_true {
                self.record.broken(format_args!("{id}/{} was settled as {word}, but it is {stage:?}", lease.0));
            }
        }
    }
}
