//! Which jobs a claim takes of executors that share a limit.
//!
//! They are claimed from one after the other, because each takes from what the others may have. Whoever wants to know why one had
//! its turn finds it here.
//!
//! # Invariants
//!
//! - Of the executors that share a limit no more jobs are claimed than it has left.
//! - None has more than its share before each of the others that are asked for was offered theirs.
//! - The one behind that which was served last comes first. So an executor with half a million jobs keeps no other one from its
//!   turn, also where there is one token at a time.

use std::collections::{BTreeMap, VecDeque};

use super::rotation::Turns;
use crate::model::{Demand, ExecutorName, JobRow};

/// An executor's part.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    demand: Demand,
    turns: Option<Turns>,
    limits: Vec<ExecutorName>,
}

/// The demands of executors that share limits, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Sharing {
    /// How many more jobs each limit allows.
    left: BTreeMap<ExecutorName, usize>,
    /// Those that were not offered a share yet.
    waiting: VecDeque<Part>,
    /// Those that took all of their share, and want more.
    unfilled: VecDeque<Part>,
    /// The one that is being claimed from, how many jobs it may have, and whether that is its share.
    current: Option<(Part, usize, bool)>,
    served: BTreeMap<ExecutorName, String>,
}

impl Sharing {
    /// Of limits with how many jobs they allow and who was served last, and of demands with how their keys take turns and what
    /// they share.
    pub(super) fn new(
        limits: impl Iterator<Item = (ExecutorName, usize, Option<String>)>,
        demands: impl Iterator<Item = (Demand, Option<Turns>, Vec<ExecutorName>)>,
    ) -> Self {
        let (mut left, mut served) = (BTreeMap::new(), BTreeMap::new());
        for (name, free, last) in limits {
            left.insert(name.clone(), free);
            served.extend(last.map(|last| (name, last)));
        }
        let mut parts: Vec<Part> = demands.map(|(demand, turns, limits)| Part { demand, turns, limits }).collect();
        // Behind the last one, and then around.
        let place = |part: &Part| {
            let last = part.limits.first().and_then(|limit| served.get(limit));
            let is_behind = last.is_none_or(|last| part.demand.executor.as_str() > last.as_str());
            (part.limits.first().cloned(), !is_behind, part.demand.executor.clone())
        };
        parts.sort_by_cached_key(place);
        Self { left, waiting: parts.into(), served: BTreeMap::new(), ..Self::default() }
    }

    /// What to claim next, and how the keys take turns there; [`took`](Self::took) says what that gave.
    pub fn next_demand(&mut self) -> Option<(Demand, Option<Turns>)> {
        loop {
            let (part, is_share) = match self.waiting.pop_front() {
                Some(part) => (part, true),
                None => (self.unfilled.pop_front()?, false),
            };
            let others =
                |limit: &ExecutorName| self.waiting.iter().filter(|other| other.limits.contains(limit)).count();
            let share = |limit: &ExecutorName| {
                let left = self.left.get(limit).copied().unwrap_or_default();
                if is_share { left.div_ceil(others(limit) + 1) } else { left }
            };
            let most = part.limits.iter().map(share).min().unwrap_or_default();
            let demand = part.demand.clone().at_most(most);
            if demand.limit > 0 {
                let turns = part.turns;
                self.current = Some((part, demand.limit, is_share));
                return Some((demand, turns));
            }
        }
    }

    /// The last demand has given these jobs.
    pub fn took(&mut self, jobs: &[JobRow]) {
        let Some((part, most, is_share)) = self.current.take() else { return };
        for limit in &part.limits {
            if let Some(left) = self.left.get_mut(limit) {
                *left = left.saturating_sub(jobs.len());
            }
            if is_share && !jobs.is_empty() {
                self.served.insert(limit.clone(), part.demand.executor.to_string());
            }
        }
        if is_share && jobs.len() == most {
            self.unfilled.extend(part.demand.after(jobs).map(|demand| Part { demand, ..part }));
        }
    }

    /// Which executor was served last, of each limit of which anything was taken.
    pub fn served(self) -> Vec<(ExecutorName, String)> {
        self.served.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The executors that jobs are taken from, and how many, where each of them has so many; and who was served last.
    fn taken(free: usize, served: Option<&str>, executors: &[(&str, usize)]) -> (Vec<(String, usize)>, Option<String>) {
        let api = ExecutorName::from("limit:api");
        let demands = executors.iter().map(|(name, _)| (Demand::new((*name).to_owned(), 10), None, vec![api.clone()]));
        let mut sharing = Sharing::new([(api.clone(), free, served.map(str::to_owned))].into_iter(), demands);
        let mut left: BTreeMap<&str, usize> = executors.iter().copied().collect();
        let mut taken = Vec::new();
        while let Some((demand, _)) = sharing.next_demand() {
            let has = left.get_mut(demand.executor.as_str()).unwrap();
            let count = demand.limit.min(*has);
            *has -= count;
            sharing.took(&vec![JobRow::empty(1.into(), demand.executor.clone()); count]);
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
        let limits = [(api.clone(), 9, None), (disk.clone(), 2, None)].into_iter();
        let both = (Demand::new("both", 10), None, vec![api.clone(), disk]);
        let mut sharing = Sharing::new(limits, [both, (Demand::new("one", 10), None, vec![api])].into_iter());
        let mut granted = Vec::new();
        while let Some((demand, _)) = sharing.next_demand() {
            sharing.took(&vec![JobRow::empty(1.into(), demand.executor.clone()); demand.limit]);
            granted.push((demand.executor.to_string(), demand.limit));
        }
        assert_eq!(granted, [("both".to_owned(), 2), ("one".to_owned(), 7)]);
    }
}
