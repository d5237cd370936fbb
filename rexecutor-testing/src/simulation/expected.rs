//! What a claim has to give, and whether it does; and whether what is settled may be.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use rexecutor::{
    Executor,
    backend::{Bucket, Claimed, Demand, Filter, JobRow, Outcome, Scope, Settlement, lifecycle},
    executor::Rate,
    job::{ExecutorName, JobId, JobStatus, Lease, NodeId},
};

use super::{
    audit::{Audit, Started},
    jobs::{AGING, Aged, Fragile, KEY_RATE, Keyed, Metered, Ordered, RATE, Rated, Scarce},
    record::Stage,
    shares::{SHARERS, Shares},
    turns::Claimable,
};

static EXECUTING: LazyLock<Filter> = LazyLock::new(|| Filter::StatusIn(vec![JobStatus::Executing]));

/// Those whose keys take turns.
const TAKE_TURNS: [&str; 3] = [Keyed::NAME, Metered::NAME, Ordered::NAME];

/// What a claim has to give, and what it may give of those whose keys take turns, or that share a limit.
pub(super) struct Expected {
    next: Vec<JobId>,
    keyed: Vec<Claimable>,
    shares: Shares,
    /// How many of those whose keys have rates.
    metered: usize,
}

impl Audit {
    /// Whether it is known which of an executor's jobs are claimed next, whatever runs of others. A bucket of tokens that was seen to be
    /// full stays so when a clock is set back, and nobody knows who has seen it; how long a breaker stays open is not known then either.
    fn is_in_order(&self, executor: &str) -> bool {
        let is_unknown = [Rated::NAME, Fragile::NAME].contains(&executor) && self.record.known().was_stepped_back;
        !TAKE_TURNS.contains(&executor) && !SHARERS.contains(&executor) && !is_unknown
    }

    /// The runs that a claim has to give, but for those whose keys take turns; and what it may give of these.
    pub(super) fn expected(&self, node: NodeId, demands: &[Demand]) -> Expected {
        let (now, rows) = (self.now(), self.rows_as_paused());
        // So many of those that are due, as a claim lists them: all of them begin at once.
        let due = |executor: &ExecutorName, most: usize| {
            let is_due = |row: &&JobRow| row.executor == *executor && lifecycle::is_due(row, now);
            let listed = |row: &JobRow| (row.priority, row.scheduled_at, row.id);
            let place = |row: &JobRow| match executor.as_str() {
                Aged::NAME => (0, row.scheduled_at + AGING * u32::from(row.priority), row.id),
                _ => listed(row),
            };
            let mut due: Vec<_> = rows.iter().filter(is_due).map(|row| (place(row), listed(row))).collect();
            due.sort_unstable();
            let mut due: Vec<_> = due.into_iter().take(most).map(|(_, listed)| listed).collect();
            due.sort_unstable();
            due
        };
        let label = self.record.known().labels.get(&node).cloned().unwrap_or_default();
        let is_closed = self.is_paused(&Scope::Cluster) || self.is_paused(&Scope::Node(label));
        let is_paused = |executor: &ExecutorName| is_closed || self.is_paused(&Scope::Executor(executor.clone()));
        let open = || demands.iter().filter(|demand| !is_paused(&demand.executor));
        let in_order = open().filter(|demand| self.is_in_order(demand.executor.as_str()));
        let most = |demand: &Demand| match demand.executor.as_str() {
            Scarce::NAME => demand.limit.min(self.room_for_scarce()),
            Rated::NAME => demand.limit.min(self.tokens(&(Rated::NAME, None), RATE)),
            Fragile::NAME => demand.limit.min(self.room_for_fragile()),
            _ => demand.limit,
        };
        let next = in_order.flat_map(|demand| due(&demand.executor, most(demand)));
        let (keyed, shares) = (Claimable::of(open(), &rows, now), Shares::of(open(), &rows, now));
        let metered = open().find(|demand| demand.executor.as_str() == Metered::NAME);
        let metered = metered.map_or(0, |demand| demand.limit.min(self.metered(&rows)));
        Expected { next: next.map(|(.., id)| id).collect(), keyed, shares, metered }
    }

    /// Whether somebody has paused it.
    fn is_paused(&self, scope: &Scope) -> bool {
        let (now, until) = (self.now(), self.record.known().paused.get(scope).copied());
        until.is_some_and(|until| until.is_none_or(|until| now < until))
    }

    /// What is stored, but that jobs with a paused tag are not due, and all others are when they were.
    fn rows_as_paused(&self) -> Vec<JobRow> {
        let mut rows = self.rows();
        for row in rows.iter_mut().filter(|row| row.status.is_pending()) {
            if lifecycle::is_aside(row) {
                row.scheduled_at = self.record.known().due_at.get(&row.id).copied().unwrap_or(row.scheduled_at);
            } else {
                self.record.known().due_at.insert(row.id, row.scheduled_at);
            }
            if row.tags.iter().any(|tag| self.is_paused(&Scope::Tag(tag.clone()))) {
                row.scheduled_at = lifecycle::ASIDE;
            }
        }
        rows
    }

    /// How many jobs of all keys could start that have a rate each.
    fn metered(&self, rows: &[JobRow]) -> usize {
        let mut due = BTreeMap::<_, usize>::new();
        let is_due = |row: &&JobRow| row.executor.as_str() == Metered::NAME && lifecycle::is_due(row, self.now());
        for row in rows.iter().filter(is_due) {
            *due.entry(row.extras.group_key.clone()).or_default() += 1;
        }
        due.into_iter().map(|(key, due)| due.min(self.tokens(&(Metered::NAME, key), KEY_RATE))).sum()
    }

    pub(super) fn running(&self, executor: &str) -> usize {
        self.find(&EXECUTING).iter().filter(|row| row.executor.as_str() == executor).count()
    }

    /// How many jobs may start now, by those that have.
    fn tokens(&self, of: &Started, rate: Rate) -> usize {
        let ((interval, burst), now) = (Bucket::numbers(rate), self.now());
        let started = self.started();
        let started = started.get(of).into_iter().flatten();
        let taken = started.fold(Bucket::new(interval, burst, None), |bucket, at| bucket.without(1, *at));
        taken.tokens(now)
    }

    /// Notes that a job has started, and looks at every window of time that ends now.
    fn check_rate(&self, row: &JobRow) {
        let (of, rate) = match row.executor.as_str() {
            Rated::NAME => ((Rated::NAME, None), RATE),
            Metered::NAME => ((Metered::NAME, row.extras.group_key.clone()), KEY_RATE),
            _ => return,
        };
        let now = self.now();
        let mut all = self.started();
        let started = all.entry(of.clone()).or_default();
        started.push(now);
        for (count, first) in (1_u32..).zip(started.iter().rev()) {
            let brought = i128::from((now - *first).num_nanoseconds().unwrap_or(i64::MAX)) / rate.interval();
            if i128::from(count) > i128::from(rate.burst) + brought {
                self.record.broken(format_args!("{count} of {of:?} were claimed from {first} to {now}"));
            }
        }
    }

    pub(super) fn started(&self) -> MutexGuard<'_, BTreeMap<Started, Vec<DateTime<Utc>>>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_claim(&self, node: NodeId, expected: &Expected, claimed: &Claimed) {
        let ids: Vec<JobId> = claimed.jobs.iter().map(|row| row.id).collect();
        if !ids.is_empty() {
            self.record.note(format_args!("member {node} claims {ids:?}"));
        }
        let Expected { next: expected, keyed, shares, metered } = expected;
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
        let count = claimed.jobs.iter().filter(|row| row.executor.as_str() == Metered::NAME).count();
        if claimed.member && count != *metered && !self.record.known().was_stepped_back {
            self.record.broken(format_args!("{count} of {} were claimed, and {metered} could be", Metered::NAME));
        }
        claimed.jobs.iter().for_each(|row| self.check_rate(row));
        self.claimed_of_fragile(claimed);
        self.check_scarce();
        let mut known = self.record.known();
        for row in &claimed.jobs {
            let place = known.claimed.len() as u64;
            known.claimed.insert((row.id, row.lease), place);
        }
    }

    pub(super) fn check_settled(&self, before: &[JobRow], settlements: &[Settlement], refused: &[(JobId, Lease)]) {
        let rows: BTreeMap<JobId, &JobRow> = before.iter().map(|row| (row.id, row)).collect();
        for settlement in settlements {
            let Settlement { id, lease, outcome, .. } = settlement;
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
            if let Some(row) = rows.get(id).filter(|_| is_accepted) {
                self.settled_of_fragile(row, settlement);
            }
            if is_accepted && !is_true {
                self.record.broken(format_args!("{id}/{} was settled as {word}, but it is {stage:?}", lease.0));
            }
        }
    }
}
