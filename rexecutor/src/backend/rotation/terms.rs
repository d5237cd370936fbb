//! How the jobs of an executor are to be taken, one by one.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Turns;
use crate::{backend::Bucket, model::Rate};

/// How the jobs of an executor are to be taken, one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// How its keys take turns.
    pub turns: Turns,
    /// The rate of each key, if there is one.
    pub key_rate: Option<KeyRate>,
    /// Whether a job costs as many tokens as it weighs, and not one.
    pub weighs: bool,
    /// In how much time of waiting a job rises by one priority, where these decide.
    pub aging: Option<Duration>,
    /// What they may cost together, of each rate that all of them keep to. Where they do not weigh, their number says it.
    pub budgets: Vec<Budget>,
}

impl Terms {
    /// Keys take turns like this, and nothing else is to be kept to.
    pub fn new(turns: Turns) -> Self {
        Self { turns, key_rate: None, weighs: false, aging: None, budgets: Vec::new() }
    }

    /// How long a node rests at least before it looks for tokens of a key again: there may be many keys.
    pub(super) fn least_rest(&self) -> Duration {
        const LEAST: Duration = Duration::from_millis(20);
        self.key_rate.map_or(Duration::ZERO, |rate| LEAST.min(Duration::from_nanos(rate.interval.unsigned_abs())))
    }

    /// Where a job stands among those that are due: the lowest comes first. What has waited for one `aging` longer counts as one priority
    /// more urgent, so that the order of two jobs does not change while they wait.
    #[cfg(feature = "memory")]
    pub(in crate::backend) fn place(&self, priority: u16, due_at: DateTime<Utc>) -> (u16, DateTime<Utc>) {
        match self.aging {
            None => (priority, due_at),
            Some(aging) => {
                let aging = chrono::TimeDelta::from_std(aging).unwrap_or(chrono::TimeDelta::MAX);
                let later = aging.checked_mul(priority.into()).and_then(|later| due_at.checked_add_signed(later));
                (0, later.unwrap_or(DateTime::<Utc>::MAX_UTC))
            }
        }
    }

    /// How many tokens a job with this weight costs.
    pub(super) fn cost(&self, weight: u32, burst: i64) -> i64 {
        if self.weighs { cost(weight, burst) } else { 1 }
    }
}

/// How many tokens a job with this weight costs: one that weighs more than a bucket holds, as since the burst was lowered, costs all of
/// them, because it could never start else.
pub(in crate::backend) fn cost(weight: u32, burst: i64) -> i64 {
    i64::from(weight.max(1)).min(burst.max(1))
}

/// The rate of each key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRate {
    /// The time that brings one token, in nanoseconds, over zero.
    pub interval: i64,
    /// How many tokens a bucket holds.
    pub burst: i64,
}

impl KeyRate {
    /// As it is stored.
    pub fn new(interval: i64, burst: i64) -> Self {
        Self { interval: interval.max(1), burst: burst.max(1) }
    }

    /// That of a rate.
    pub fn of(rate: Rate) -> Self {
        let (interval, burst) = Bucket::numbers(rate);
        Self::new(interval, burst)
    }

    /// What keeps to both.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        Self { interval: self.interval.max(other.interval), burst: self.burst.min(other.burst) }
    }

    /// The bucket of a key of which this is kept.
    pub(in crate::backend) fn bucket(self, kept: KeyBucket, now: DateTime<Utc>) -> Bucket {
        Bucket::new(self.interval, self.burst, kept.full_at).at_least_empty(now)
    }

    /// When a job with this weight may start, of a key of which this is kept.
    pub(in crate::backend) fn starts_at(self, kept: KeyBucket, cost: i64, now: DateTime<Utc>) -> DateTime<Utc> {
        let with_tokens = self.bucket(kept, now).has_at(cost.into(), now);
        kept.held_until.map_or(with_tokens, |held| with_tokens.max(held))
    }
}

/// What is kept of the rate of a key. Nothing is kept of most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyBucket {
    /// When its bucket is full again, in nanoseconds since 1970; `None`: it is full.
    pub full_at: Option<i64>,
    /// Until when one of its jobs holds all of them back.
    pub held_until: Option<DateTime<Utc>>,
}

impl KeyBucket {
    /// As it is stored.
    pub fn new(full_at: Option<i64>, held_until: Option<DateTime<Utc>>) -> Self {
        Self { full_at, held_until }
    }

    /// Whether there is nothing to keep: the bucket is full, and nothing holds its jobs back.
    #[cfg(feature = "memory")]
    pub(in crate::backend) fn is_idle(&self, now: DateTime<Utc>) -> bool {
        let is_full = Bucket::new(1, 1, self.full_at).is_full(now);
        is_full && self.held_until.is_none_or(|until| until <= now)
    }
}

/// How many tokens jobs may take out of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// How many there are.
    pub left: i64,
    /// How many of them are the jobs' share. The first of them may cost more.
    pub share: i64,
    /// How many the bucket holds.
    pub burst: i64,
}

impl Budget {
    /// All that is in a bucket.
    pub(in crate::backend) fn whole(bucket: Bucket, now: DateTime<Utc>) -> Self {
        let left = i64::try_from(bucket.tokens(now)).unwrap_or(i64::MAX);
        Self { left, share: left, burst: bucket.burst }
    }
}

/// By what a walk was stopped before it had taken what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// Its share was used up.
    ByShare,
    /// There were too few tokens for the next job, which has this weight.
    ByTokens(u32),
}
