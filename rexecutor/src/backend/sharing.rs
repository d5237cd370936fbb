//! Which jobs a claim takes of executors that share a limit.
//!
//! They are claimed from one after the other, because each takes from what the others may have. Whoever wants to know why one had
//! its turn finds it here.
//!
//! # Invariants
//!
//! - Of the executors that share a limit no more jobs are claimed than it has left.
//! - None has more than its share before each of the others that are asked for was offered theirs.
//! - Where jobs weigh, a part of the tokens is a share. One whose turn it is, and whose first job costs more than there are, keeps the
//!   others from taking any until there are enough.
//! - The one behind that which was served last comes first. So an executor with half a million jobs keeps no other one from its
//!   turn, also where there is one token at a time.

use std::collections::{BTreeMap, VecDeque};

use super::rotation::{Budget, Stopped, Terms, cost};
use crate::model::{Demand, ExecutorName, JobRow};

/// An executor's part.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    demand: Demand,
    terms: Option<Terms>,
    limits: Vec<ExecutorName>,
}

/// What a limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pool {
    /// How many more jobs, if each costs one token.
    pub(super) left: usize,
    /// How many tokens, if it is a rate.
    pub(super) tokens: Option<Budget>,
}

impl Pool {
    /// So many jobs, which cost so many tokens, were taken.
    fn take(&mut self, jobs: usize, cost: usize) {
        self.left = self.left.saturating_sub(jobs);
        if let Some(tokens) = &mut self.tokens {
            tokens.left -= i64::try_from(cost).unwrap_or(i64::MAX).min(tokens.left);
            self.left = self.left.min(usize::try_from(tokens.left).unwrap_or_default());
        }
    }
}

/// The demands of executors that share limits, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Sharing {
    /// How much more each limit allows.
    left: BTreeMap<ExecutorName, Pool>,
    /// Those that were not offered a share yet.
    waiting: VecDeque<Part>,
    /// Those that took all of their share, and want more.
    unfilled: VecDeque<Part>,
    /// The one that is being claimed from, how many jobs it may have, and whether that is its share.
    current: Option<(Part, usize, bool)>,
    served: BTreeMap<ExecutorName, String>,
    /// The limits, and those who share them, that have too few tokens for a job of this weight.
    short: BTreeMap<ExecutorName, u32>,
}

impl Sharing {
    /// Of limits with how many jobs they allow and who was served last, and of demands with how their keys take turns and what
    /// they share.
    pub(super) fn new(
        limits: impl Iterator<Item = (ExecutorName, Pool, Option<String>)>,
        demands: impl Iterator<Item = (Demand, Option<Terms>, Vec<ExecutorName>)>,
    ) -> Self {
        let (mut left, mut served) = (BTreeMap::new(), BTreeMap::new());
        for (name, free, last) in limits {
            left.insert(name.clone(), free);
            served.extend(last.map(|last| (name, last)));
        }
        let mut parts: Vec<Part> = demands.map(|(demand, terms, limits)| Part { demand, terms, limits }).collect();
        // Behind the last one, and then around.
        let place = |part: &Part| {
            let last = part.limits.first().and_then(|limit| served.get(limit));
            let is_behind = last.is_none_or(|last| part.demand.executor.as_str() > last.as_str());
            (part.limits.first().cloned(), !is_behind, part.demand.executor.clone())
        };
        parts.sort_by_cached_key(place);
        Self { left, waiting: parts.into(), served: BTreeMap::new(), ..Self::default() }
    }

    /// What to claim next, and how to take it; [`took`](Self::took) says what that gave.
    pub fn next_demand(&mut self) -> Option<(Demand, Option<Terms>)> {
        loop {
            let (part, is_share) = match self.waiting.pop_front() {
                Some(part) => (part, true),
                None => (self.unfilled.pop_front()?, false),
            };
            let others =
                |limit: &ExecutorName| self.waiting.iter().filter(|other| other.limits.contains(limit)).count();
            let pool = |limit: &ExecutorName| self.left.get(limit).copied();
            let share = |limit: &ExecutorName| {
                let left = pool(limit).map_or(0, |pool| pool.left);
                if is_share { left.div_ceil(others(limit) + 1) } else { left }
            };
            let most = part.limits.iter().map(share).min().unwrap_or_default();
            let demand = part.demand.clone().at_most(most);
            if demand.limit > 0 {
                let mut terms = part.terms.clone();
                for terms in terms.iter_mut().filter(|terms| terms.weighs) {
                    terms.budgets.extend(part.limits.iter().filter_map(|limit| {
                        let mut tokens = pool(limit)?.tokens?;
                        let sharers = i64::try_from(others(limit)).unwrap_or(i64::MAX - 1);
                        // As `div_ceil`, of a number that is not negative.
                        tokens.share = if is_share { (tokens.left + sharers) / (sharers + 1) } else { tokens.left };
                        Some(tokens)
                    }));
                }
                self.current = Some((part, demand.limit, is_share));
                return Some((demand, terms));
            }
        }
    }

    /// The last demand has given these jobs, and was stopped by this.
    pub fn took(&mut self, jobs: &[JobRow], stopped: Option<Stopped>) {
        let Some((part, most, is_share)) = self.current.take() else { return };
        let weighs = part.terms.as_ref().is_some_and(|terms| terms.weighs);
        for limit in &part.limits {
            if let Some(pool) = self.left.get_mut(limit) {
                let burst = pool.tokens.filter(|_| weighs).map(|tokens| tokens.burst);
                let costs = jobs
                    .iter()
                    .map(|job| burst.map_or(1, |burst| cost(job.extras.weight.unwrap_or(1), burst).unsigned_abs()));
                pool.take(jobs.len(), usize::try_from(costs.sum::<u64>()).unwrap_or(usize::MAX));
                if let (Some(Stopped::ByTokens(weight)), Some(tokens)) = (stopped, &mut pool.tokens)
                    && jobs.is_empty()
                    && cost(weight, tokens.burst) > tokens.left
                {
                    // They gather for the job whose turn it is.
                    (tokens.left, pool.left) = (0, 0);
                    self.short.entry(limit.clone()).or_insert(weight);
                }
            }
            if is_share && !jobs.is_empty() {
                self.served.insert(limit.clone(), part.demand.executor.to_string());
            }
        }
        if let Some(Stopped::ByTokens(weight)) = stopped {
            self.short.insert(part.demand.executor.clone(), weight);
        }
        if is_share && (jobs.len() == most || stopped == Some(Stopped::ByShare)) {
            self.unfilled.extend(part.demand.after(jobs).map(|demand| Part { demand, ..part }));
        }
    }

    /// The limits, and those who share them, that have too few tokens for the next job, which has this weight.
    pub fn short(&self) -> BTreeMap<ExecutorName, u32> {
        self.short.clone()
    }

    /// Which executor was served last, of each limit of which anything was taken.
    pub fn served(self) -> Vec<(ExecutorName, String)> {
        self.served.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(left: usize) -> Pool {
        Pool { left, tokens: None }
    }

    /// The executors that jobs are taken from, and how many, where each of them has so many; and who was served last.
    fn taken(free: usize, served: Option<&str>, executors: &[(&str, usize)]) -> (Vec<(String, usize)>, Option<String>) {
        let api = ExecutorName::from("limit:api");
        let demands = executors.iter().map(|(name, _)| (Demand::new((*name).to_owned(), 10), None, vec![api.clone()]));
        let mut sharing = Sharing::new([(api.clone(), pool(free), served.map(str::to_owned))].into_iter(), demands);
        let mut left: BTreeMap<&str, usize> = executors.iter().copied().collect();
        let mut taken = Vec::new();
        while let Some((demand, _)) = sharing.next_demand() {
            let has = left.get_mut(demand.executor.as_str()).unwrap();
            let count = demand.limit.min(*has);
            *has -= count;
            sharing.took(&vec![JobRow::empty(1.into(), demand.executor.clone()); count], None);
            if count > 0 {
                taken.push((demand.executor.to_string(), count));
            }
        }
        (taken, sharing.served().pop().map(|(_, executor)| executor))
    }

    #[test]
    fn each_has_its_share_and_what_nobody_wants_goes_to_the_others() {
        let said = |pairs: &[(&str, usize)]| {
            pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>()
        };
        let all = [("a", 99), ("b", 99), ("c", 99)];
        assert_eq!(taken(7, None, &all), (said(&[("a", 3), ("b", 2), ("c", 2)]), Some("c".to_owned())));
        assert_eq!(taken(7, Some("b"), &all).0, said(&[("c", 3), ("a", 2), ("b", 2)]));
        assert_eq!(taken(1, Some("a"), &all), (said(&[("b", 1)]), Some("b".to_owned())), "one token at a time");
        assert_eq!(taken(6, None, &[("a", 99), ("b", 0), ("c", 1)]).0, said(&[("a", 2), ("c", 1), ("a", 3)]));
        assert_eq!(taken(0, None, &all), (vec![], None));
        assert_eq!(taken(99, None, &all).0, said(&[("a", 10), ("b", 10), ("c", 10)]), "as many as are asked for");
    }

    #[test]
    fn whoever_shares_two_limits_keeps_to_both() {
        let [api, disk] = ["limit:api", "limit:disk"].map(ExecutorName::from);
        let limits = [(api.clone(), pool(9), None), (disk.clone(), pool(2), None)].into_iter();
        let both = (Demand::new("both", 10), None, vec![api.clone(), disk]);
        let mut sharing = Sharing::new(limits, [both, (Demand::new("one", 10), None, vec![api])].into_iter());
        let mut granted = Vec::new();
        while let Some((demand, _)) = sharing.next_demand() {
            sharing.took(&vec![JobRow::empty(1.into(), demand.executor.clone()); demand.limit], None);
            granted.push((demand.executor.to_string(), demand.limit));
        }
        assert_eq!(granted, [("both".to_owned(), 2), ("one".to_owned(), 7)]);
    }
}
