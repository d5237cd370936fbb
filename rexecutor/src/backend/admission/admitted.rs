//! What the cluster allows of a node's demands, and what follows from what was claimed of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Controls, Limited};
use crate::{
    backend::{
        bucket::Bucket,
        rotation::{Budget, Terms, cost},
        sharing::{Pool, Sharing},
    },
    model::{Demand, ExecutorName, Held, JobId, JobRow, Marks},
};

/// What may be claimed, and when there may be more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Admitted {
    /// What is left of the demands, in their order.
    pub demands: Vec<Demand>,
    /// When a pause ends by itself that has kept something back.
    pub again_at: Option<DateTime<Utc>>,
    /// Those of whom a limit allows fewer than were asked for.
    limited: BTreeMap<ExecutorName, Limited>,
    /// The buckets of those that have one, and whether they are as they were stored.
    buckets: BTreeMap<ExecutorName, (Bucket, bool)>,
    /// Those whose jobs are taken one by one.
    rotating: BTreeMap<ExecutorName, Terms>,
    /// Those that share limits, and these.
    sharing: BTreeMap<ExecutorName, Vec<ExecutorName>>,
    /// What the shared limits allow, and who was served last.
    pools: BTreeMap<ExecutorName, (Limited, Option<String>)>,
    /// Those of which one job is let through by their open circuit breaker.
    tried: BTreeSet<ExecutorName>,
}

impl Admitted {
    /// What is left of the demands of executors that share no limit: those whose jobs start as they come, and those whose jobs are
    /// taken [one by one](crate::backend::rotation).
    pub fn split(&self) -> (Vec<Demand>, Vec<(Demand, Terms)>) {
        let (mut plain, mut rotating) = (Vec::new(), Vec::new());
        for demand in self.demands.iter().filter(|demand| !self.sharing.contains_key(&demand.executor)) {
            match self.rotating.get(&demand.executor) {
                Some(terms) => rotating.push((demand.clone(), terms.clone())),
                None => plain.push(demand.clone()),
            }
        }
        (plain, rotating)
    }

    /// Takes in a bucket, if there is one.
    pub(super) fn take_bucket(&mut self, name: &ExecutorName, controls: Option<&Controls>, now: DateTime<Utc>) {
        if let Some(bucket) = controls.and_then(|controls| controls.bucket) {
            let settled = bucket.at_least_empty(now);
            self.buckets.insert(name.clone(), (settled, settled == bucket));
        }
    }

    /// An executor shares a limit that allows so much.
    pub(super) fn share(
        &mut self,
        executor: &ExecutorName,
        limit: &ExecutorName,
        limited: Limited,
        served: Option<String>,
    ) {
        self.pools.insert(limit.clone(), (limited, served));
        self.sharing.entry(executor.clone()).or_default().push(limit.clone());
    }

    /// An executor's jobs are to be taken like this.
    pub(super) fn take_by(&mut self, executor: &ExecutorName, mut terms: Terms, now: DateTime<Utc>) {
        let own = self.buckets.get(executor).filter(|_| terms.weighs);
        terms.budgets.extend(own.map(|(bucket, _)| Budget::whole(*bucket, now)));
        self.rotating.insert(executor.clone(), terms);
    }

    /// One job of an executor is let through by its open circuit breaker.
    pub(super) fn let_through(&mut self, executor: &ExecutorName) {
        self.tried.insert(executor.clone());
    }

    /// Those of the claimed jobs that were let through by open circuit breakers: they get the mark
    /// [`TRIAL`](Marks::TRIAL), here and in the transaction that claims them.
    pub fn trials(&self, jobs: &mut [JobRow]) -> Vec<JobId> {
        let tried = jobs.iter_mut().filter(|job| !self.tried.is_empty() && self.tried.contains(&job.executor));
        let mark = |job: &mut JobRow| {
            job.marks = job.marks.with(Marks::TRIAL);
            job.id
        };
        tried.map(mark).collect()
    }

    /// A limit allows fewer jobs of an executor than were asked for.
    pub(super) fn limit(&mut self, executor: &ExecutorName, limited: Limited) {
        self.limited.insert(executor.clone(), limited);
    }

    /// How many executors are limited.
    #[cfg(test)]
    pub(super) fn limited(&self) -> usize {
        self.limited.len()
    }

    /// What is left of the others, one after the other.
    pub fn sharing(&self, now: DateTime<Utc>) -> Sharing {
        let left = self.pools.iter().map(|(name, (limited, served))| {
            let tokens = self.buckets.get(name).map(|(bucket, _)| Budget::whole(*bucket, now));
            (name.clone(), Pool { left: limited.free, tokens }, served.clone())
        });
        let demands = self.demands.iter().filter_map(|demand| {
            let limits = self.sharing.get(&demand.executor)?;
            Some((demand.clone(), self.rotating.get(&demand.executor).cloned(), limits.clone()))
        });
        Sharing::new(left, demands)
    }

    /// The buckets that are not as they were stored, as those out of which the claimed jobs have taken tokens.
    pub fn spent(&self, jobs: &[JobRow], now: DateTime<Utc>) -> Vec<(ExecutorName, Bucket)> {
        let costs = self.costs(jobs);
        let taken =
            self.buckets.iter().filter_map(|(executor, (bucket, is_stored))| match costs.get(executor.as_str()) {
                Some(cost) => Some((executor.clone(), bucket.without(*cost, now))),
                None => Some((executor.clone(), *bucket)).filter(|_| !is_stored),
            });
        taken.collect()
    }

    /// Those of whom there may be more due jobs than the claim gave, because a limit kept them back. `short` are those that were
    /// stopped because there were too few tokens for a job of this weight, and the limits that they share.
    pub fn full(&self, jobs: &[JobRow], short: &BTreeMap<ExecutorName, u32>, now: DateTime<Utc>) -> Vec<Held> {
        let (counts, costs) = (self.count(jobs), self.costs(jobs));
        let of = |counts: &BTreeMap<&str, usize>, name: &ExecutorName| counts.get(name.as_str()).copied();
        let mut full = Vec::new();
        for (executor, limited) in &self.limited {
            let claimed = of(&counts, executor).unwrap_or_default();
            if claimed < limited.free || short.contains_key(executor) {
                continue;
            }
            let taken = limited.taken(claimed, of(&costs, executor).unwrap_or_default());
            full.push(Held::new(executor.clone(), limited.again_in(taken, now)));
        }
        for demand in &self.demands {
            let claimed = of(&counts, &demand.executor).unwrap_or_default();
            let is_known = full.iter().any(|held| held.executor == demand.executor);
            if claimed >= demand.limit || is_known {
                continue;
            }
            let limits = || self.sharing.get(&demand.executor).into_iter().flatten();
            // Once every bucket has enough for the next job.
            let enough = [&demand.executor].into_iter().chain(limits()).filter_map(|name| {
                let ((bucket, _), weight) = (self.buckets.get(name)?, short.get(name)?);
                let bucket = bucket.without(of(&costs, name).unwrap_or_default(), now);
                Some(bucket.has_at(cost(*weight, bucket.burst).into(), now).max(bucket.again_at(now)))
            });
            if let Some(at) = enough.max() {
                full.push(Held::new(demand.executor.clone(), Some((at - now).to_std().unwrap_or_default())));
                continue;
            }
            let exhausted = limits().find_map(|name| {
                let (limited, _) = self.pools.get(name)?;
                let [count, cost] = [&counts, &costs].map(|counts| of(counts, name).unwrap_or_default());
                let taken = limited.taken(count, cost);
                (taken >= limited.free).then(|| limited.again_in(taken, now))
            });
            full.extend(exhausted.map(|again_in| Held::new(demand.executor.clone(), again_in)));
        }
        full
    }

    /// How many of these are of each executor, and under each shared limit.
    fn count<'j>(&'j self, jobs: &'j [JobRow]) -> BTreeMap<&'j str, usize> {
        self.sum(jobs, |_, _| 1)
    }

    /// How many tokens they cost, of each bucket.
    fn costs<'j>(&'j self, jobs: &'j [JobRow]) -> BTreeMap<&'j str, usize> {
        self.sum(jobs, |name, job| {
            let weighs = self.rotating.get(&job.executor).is_some_and(|terms| terms.weighs);
            match self.buckets.get(name).zip(job.extras.weight).filter(|_| weighs) {
                Some(((bucket, _), weight)) => usize::try_from(cost(weight, bucket.burst)).unwrap_or(usize::MAX),
                None => 1,
            }
        })
    }

    fn sum<'j>(
        &'j self,
        jobs: &'j [JobRow],
        value: impl Fn(&ExecutorName, &JobRow) -> usize,
    ) -> BTreeMap<&'j str, usize> {
        let mut sums = BTreeMap::new();
        for job in jobs {
            let limits = self.sharing.get(&job.executor).into_iter().flatten();
            for name in [&job.executor].into_iter().chain(limits) {
                *sums.entry(name.as_str()).or_default() += value(name, job);
            }
        }
        sums
    }
}
