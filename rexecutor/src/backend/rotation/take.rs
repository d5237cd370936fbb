//! What a claim takes of the jobs that a walk has met.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Met, Turns, Walk,
    terms::{Stopped, Terms},
};
use crate::{
    backend::Bucket,
    model::{Demand, JobId},
};

/// What is to be claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// The jobs, with their keys.
    pub jobs: Vec<(JobId, Option<String>)>,
    /// Behind which key the next walk begins; `None`: where this one began.
    pub served: Option<String>,
    /// When the buckets of the keys whose tokens were taken are full again, in nanoseconds since 1970.
    pub spent: Vec<(String, i64)>,
    /// After how long the first of the keys that are short of tokens now has enough for another claim.
    pub next_in: Option<Duration>,
    /// By what it was stopped, if it was.
    pub stopped: Option<Stopped>,
}

/// Takes what a node asks for, turn by turn.
pub fn take(walk: &Walk, demand: &Demand, terms: &Terms, now: DateTime<Utc>) -> Turn {
    let mut keys = Keys { walk, terms, now, buckets: HashMap::new(), closed: HashSet::new(), next_at: None };
    let mut counts: HashMap<Option<&str>, usize> = HashMap::new();
    let mut line: Vec<(usize, usize, &Met)> = Vec::with_capacity(walk.met.len());
    let mut in_vain = None;
    for (step, met) in walk.met.iter().enumerate() {
        let count = counts.entry(met.key.as_deref()).or_default();
        if *count < met.room {
            if !keys.admits(met) {
                in_vain = met.key.clone().or(in_vain);
                continue;
            }
            *count += 1;
            let turn = if terms.turns == Turns::InQueue { 0 } else { *count };
            line.push((turn, step, met));
        }
    }
    line.sort_by_key(|(turn, step, _)| (*turn, *step));
    let (mut bytes, mut budgets) = (0_usize, terms.budgets.clone());
    let mut turn = Turn::default();
    let mut costs: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, _, met) in line.into_iter().take(demand.limit) {
        if bytes >= demand.max_bytes {
            break;
        }
        turn.stopped = budgets.iter().find_map(|budget| {
            let (cost, is_first) = (terms.cost(met.weight, budget.burst), turn.jobs.is_empty());
            match cost {
                cost if cost > budget.left => Some(Stopped::ByTokens(met.weight)),
                cost if cost > budget.share && !is_first => Some(Stopped::ByShare),
                _ => None,
            }
        });
        if turn.stopped.is_some() {
            break;
        }
        for budget in &mut budgets {
            let cost = terms.cost(met.weight, budget.burst);
            (budget.left, budget.share) = (budget.left - cost, budget.share - cost);
        }
        if let (Some(rate), Some(key)) = (terms.key_rate, met.key.as_deref()) {
            *costs.entry(key).or_default() += terms.cost(met.weight, rate.burst);
        }
        bytes = bytes.saturating_add(met.bytes);
        turn.jobs.push((met.id, met.key.clone()));
    }
    turn.spent =
        costs.into_iter().filter_map(|(key, cost)| Some((key.to_owned(), keys.spend(key, cost)?.full_at))).collect();
    turn.next_in = keys.next_in();
    // Jobs without a key have no place among the keys.
    let last = turn.jobs.iter().rev().find_map(|(_, key)| key.clone());
    // Each key that a walk has met before it had looked at enough has a job: the next one goes on from there. Where none could be
    // taken, those that were met have too few tokens, and must not be all that is ever met.
    turn.served = walk.stopped_at.clone().or(last).or_else(|| in_vain.filter(|_| turn.stopped.is_none()));
    turn
}

/// The buckets of keys, where each has one.
struct Keys<'w> {
    walk: &'w Walk,
    terms: &'w Terms,
    now: DateTime<Utc>,
    /// As they would be if all were taken that they admit.
    buckets: HashMap<&'w str, Bucket>,
    /// The keys of which a job is short of tokens, so that those behind it wait.
    closed: HashSet<&'w str>,
    /// When the first of the keys that are short of tokens has enough.
    next_at: Option<DateTime<Utc>>,
}

impl<'w> Keys<'w> {
    /// Whether there are tokens for this job, which are taken then.
    fn admits(&mut self, met: &'w Met) -> bool {
        let (Some(rate), Some(key)) = (self.terms.key_rate, met.key.as_deref()) else { return true };
        if self.closed.contains(key) {
            return false;
        }
        let kept = self.walk.keys.get(key).copied().unwrap_or_default();
        let cost = self.terms.cost(met.weight, rate.burst);
        let bucket = self.buckets.entry(key).or_insert_with(|| rate.bucket(kept, self.now));
        let is_held = kept.held_until.is_some_and(|until| self.now < until);
        let tokens = usize::try_from(cost).unwrap_or(usize::MAX);
        if !is_held && bucket.tokens(self.now) >= tokens {
            *bucket = bucket.without(tokens, self.now);
            return true;
        }
        self.closed.insert(key);
        let has_at = bucket.has_at(cost.into(), self.now).max(bucket.again_at(self.now));
        let starts_at = kept.held_until.map_or(has_at, |until| until.max(has_at));
        self.next_at = self.next_at.into_iter().chain([starts_at]).min();
        false
    }

    /// The bucket of a key without the tokens of what was claimed.
    fn spend(&mut self, key: &str, cost: i64) -> Option<Bucket> {
        let kept = self.walk.keys.get(key).copied().unwrap_or_default();
        let bucket = self.terms.key_rate?.bucket(kept, self.now);
        let bucket = bucket.without(usize::try_from(cost).unwrap_or(usize::MAX), self.now);
        // More of its jobs may wait than the walk has met.
        if bucket.tokens(self.now) == 0 {
            self.next_at = self.next_at.into_iter().chain([bucket.again_at(self.now)]).min();
        }
        Some(bucket)
    }

    fn next_in(&self) -> Option<Duration> {
        Some((self.next_at? - self.now).max(TimeDelta::zero()).to_std().unwrap_or_default())
    }
}
