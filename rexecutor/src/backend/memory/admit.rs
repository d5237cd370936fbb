//! What of the demands the cluster allows, and the claim of that.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::store::Store;
use crate::{
    backend::{
        admission::{self, Admitted, Concurrency, Controls},
        bucket::Bucket,
        rotation::{After, KeyRate, Stopped, Terms},
    },
    model::{ClusterLimits, Demand, ExecutorName, Held, JobRow, NodeId, Rate, Scope},
};

impl Controls {
    /// Adds what a program declares: the strictest holds.
    fn declare(
        &mut self,
        most: Option<usize>,
        rate: Option<Rate>,
        full_at: Option<i64>,
        running: impl FnOnce() -> usize,
    ) {
        if let Some(limit) = most {
            let running = self.concurrency.map_or_else(running, |known| known.running);
            let strictest = self.concurrency.map_or(limit, |known| known.limit.min(limit));
            self.concurrency = Some(Concurrency::new(running, strictest));
        }
        if let Some((interval, burst)) = rate.map(Bucket::numbers) {
            let bucket = self.bucket.unwrap_or(Bucket::new(interval, burst, full_at));
            self.bucket = Some(bucket.strictest(interval, burst));
        }
    }
}

impl Controls {
    /// Adds the rate of each key that a program declares: the strictest holds.
    pub(super) fn declare_key_rate(&mut self, declared: Option<Rate>) {
        let declared = declared.map(KeyRate::of);
        self.key_rate = match (self.key_rate, declared) {
            (Some(known), Some(declared)) => Some(known.strictest(declared)),
            (known, declared) => known.or(declared),
        };
    }
}

impl Store {
    /// One of the jobs of an executor, or of a key of it, holds all of them back; the longest time holds.
    pub(super) fn throttle(&mut self, executor: &ExecutorName, key: Option<String>, until: DateTime<Utc>) {
        match key {
            Some(key) => {
                let kept = self.key_buckets.entry((executor.clone(), key)).or_default();
                kept.held_until = kept.held_until.max(Some(until));
            }
            None => {
                let known = self.throttled.entry(executor.clone()).or_insert(until);
                *known = until.max(*known);
            }
        }
    }

    /// Takes in what a node declares about executors.
    pub(super) fn declare(&mut self, node: NodeId, demands: &[Demand]) {
        for demand in demands.iter().filter(|demand| demand.cluster.is_some()) {
            self.declared.entry((demand.executor.clone(), node)).or_insert(demand.cluster);
        }
    }

    /// Whether nothing is stored about any executor.
    pub(super) fn is_plain(&self) -> bool {
        self.controls.is_empty()
            && self.paused_nodes.is_empty()
            && self.paused_tags.is_empty()
            && self.aside.is_empty()
            && self.declared.is_empty()
            && self.set_limits.is_empty()
            && self.throttled.is_empty()
            && self.breakers.values().all(|breaker| breaker.open.is_none())
    }

    /// Claims due jobs as far as the cluster allows it, and adds them to `claimed`; returns whose due jobs are kept back, and when
    /// there are more.
    pub(super) fn claim_admitted(
        &mut self,
        node: NodeId,
        demands: &[Demand],
        now: DateTime<Utc>,
        claimed: &mut Vec<JobRow>,
    ) -> (Vec<Held>, Option<DateTime<Utc>>) {
        let tags_again_at = self.set_aside(demands, now);
        let admitted = self.admit(node, demands, now);
        let (plain, rotating) = admitted.split();
        let mut again_at = self.claim(node, &plain, now, claimed);
        let mut full = Vec::new();
        let mut short = BTreeMap::new();
        for (demand, terms) in &rotating {
            let stopped = self.claim_part(node, demand, Some(terms), now, claimed, &mut full, &mut again_at);
            if let Some(Stopped::ByTokens(weight)) = stopped {
                short.insert(demand.executor.clone(), weight);
            }
        }
        let mut sharing = admitted.sharing(now);
        while let Some((demand, terms)) = sharing.next_demand() {
            let before = claimed.len();
            let stopped = self.claim_part(node, &demand, terms.as_ref(), now, claimed, &mut full, &mut again_at);
            sharing.took(claimed.get(before..).unwrap_or_default(), stopped);
        }
        short.extend(sharing.short());
        self.served.extend(sharing.served());
        // Those of one executor keep their order.
        claimed.sort_by_key(|row| demands.iter().position(|demand| demand.executor == row.executor));
        self.mark_trials(&admitted.trials(claimed));
        let spent = admitted.spent(claimed, now);
        self.full_at.extend(spent.into_iter().map(|(executor, bucket)| (executor, bucket.full_at)));
        full.extend(admitted.full(claimed, &short, now));
        let (held, next) = self.due(full, now);
        (held, again_at.into_iter().chain(admitted.again_at).chain(next).chain(tags_again_at).min())
    }

    #[expect(clippy::too_many_arguments, reason = "two of them are what the answer is gathered in")]
    fn claim_part(
        &mut self,
        node: NodeId,
        demand: &Demand,
        terms: Option<&Terms>,
        now: DateTime<Utc>,
        claimed: &mut Vec<JobRow>,
        full: &mut Vec<Held>,
        again_at: &mut Option<DateTime<Utc>>,
    ) -> Option<Stopped> {
        let mut stopped = None;
        let next = match terms {
            None => self.claim(node, std::slice::from_ref(demand), now, claimed),
            Some(terms) => {
                let (after, next, by) = self.claim_in_rotation(node, demand, terms, now, claimed);
                stopped = by;
                match after {
                    After::Nothing => next,
                    After::Again => Some(now),
                    After::Held(held) => {
                        full.push(held);
                        next
                    }
                }
            }
        };
        *again_at = again_at.iter().copied().chain(next).min();
        stopped
    }

    /// What the cluster allows of these demands of a node.
    fn admit(&mut self, node: NodeId, demands: &[Demand], now: DateTime<Utc>) -> Admitted {
        self.declared.retain(|(_, node), _| self.nodes.contains_key(node));
        self.throttled.retain(|_, until| now < *until);
        // A full bucket is the same as none.
        self.key_buckets.retain(|_, kept| !kept.is_idle(now));
        let mut controls: BTreeMap<ExecutorName, Controls> =
            self.controls.iter().map(|(name, (_, controls))| (name.clone(), controls.clone())).collect();
        if let Some((_, pause)) = self.nodes.get(&node).and_then(|joined| self.paused_nodes.get(&joined.label)) {
            controls.entry(Scope::CLUSTER_NAME).or_default().also_paused(pause.clone(), now);
        }
        for (executor, until) in &self.throttled {
            controls.entry(executor.clone()).or_default().throttled_until = Some(*until);
        }
        for (executor, held) in self.open_breakers() {
            controls.entry(executor).or_default().breaker = Some(held);
        }
        for ((executor, _), declared) in &self.declared {
            let ClusterLimits { concurrency, rate, per_key, key_rate, weighs, aging, ordered, shared } = *declared;
            for limit in shared {
                let name = limit.stored_name();
                let sharing = controls.entry(name.clone()).or_default();
                sharing.served = self.served.get(&name).cloned();
                let full_at = self.full_at.get(&name).copied();
                sharing.declare(limit.max_running(), limit.max_rate(), full_at, || self.running(&self.sharers(&name)));
                let own = controls.entry(executor.clone()).or_default();
                if !own.shared.contains(&name) {
                    own.shared.push(name);
                }
            }
            let own = controls.entry(executor.clone()).or_default();
            let full_at = self.full_at.get(executor).copied();
            own.declare(concurrency, rate, full_at, || self.running(&BTreeSet::from([executor])));
            own.per_key = own.per_key.into_iter().chain(per_key).min();
            own.declare_key_rate(key_rate);
            own.weighs |= weighs;
            own.aging = own.aging.into_iter().chain(aging).min();
            own.ordered |= ordered;
        }
        for (executor, (_, change)) in &self.set_limits {
            let own = controls.entry(executor.clone()).or_default();
            if let Some(limit) = change.limits.concurrency {
                own.concurrency = Some(Concurrency::new(self.running(&BTreeSet::from([executor])), limit));
            }
            own.per_key = change.limits.per_key.or(own.per_key);
            own.key_rate = change.limits.key_rate.map(KeyRate::of).or(own.key_rate);
            if let Some((interval, burst)) = change.limits.rate.map(Bucket::numbers) {
                own.bucket = Some(Bucket::new(interval, burst, self.full_at.get(executor).copied()));
            }
        }
        admission::admit(demands, |executor| controls.get(executor), now)
    }

    /// The executors of which any member says that they share this limit.
    fn sharers(&self, limit: &ExecutorName) -> BTreeSet<&ExecutorName> {
        let shares = |declared: &ClusterLimits| declared.shared.iter().any(|shared| shared.stored_name() == *limit);
        self.declared.iter().filter(|(_, declared)| shares(declared)).map(|((executor, _), _)| executor).collect()
    }

    /// How many jobs of these executors are executing.
    fn running(&self, executors: &BTreeSet<&ExecutorName>) -> usize {
        let runs = self.indexes.executing().into_iter().filter_map(|(_, id)| self.rows.get(&id));
        runs.filter(|stored| executors.contains(&stored.row.executor)).count()
    }
}
