//! What of a node's demands the cluster allows: the one place where it is decided.
//!
//! A claim has two steps, in one transaction. The first is this: each demand is cut down to what is
//! [stored](Controls) about its executor and about the whole cluster. The second takes due jobs for what is left. An
//! executor about which nothing is stored does not come here at all: a backend keeps the set of those about which something
//! is, and asks the database only for these.
//!
//! # Invariants
//!
//! - A claim gives no job of an executor that is paused, nor any job while the whole cluster or its node is.
//! - Nor does it give a job that has a tag which is paused: what it meets is [set aside](super::lifecycle::set_aside).
//! - Of an executor with a limit never more jobs are executing in the cluster than the limit, but for those that ran before
//!   it was declared. What counts is what is executing when the claim decides, while no other claim of that executor can
//!   decide; there is no counter that a node which dies could leave wrong.
//! - Of an executor with a limit per key the same holds for the jobs of each key, and keys are served in
//!   [rotation](super::rotation); so they are where the jobs of a key run in order.
//! - Of an executor with a rate no more jobs are claimed than its [bucket](Bucket) has tokens, which are taken out in the
//!   transaction that claims. A crash loses them on the safe side.
//! - Of an executor with a rate for each key the same holds for the jobs of each, and of one whose jobs weigh, for what they cost.
//! - Of an executor that one of its jobs holds back nothing is claimed before the time is over.
//! - Of one whose [circuit breaker](super::breaker) is open nothing is claimed before its time is over, and then one job at a time.

mod admitted;

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use self::admitted::Admitted;
use super::{
    breaker::HeldByBreaker,
    bucket::Bucket,
    rotation::{KeyRate, Terms, Turns},
};
use crate::model::{Demand, ExecutorName, Pause, Scope};

/// What is stored about an executor, or about the whole cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Controls {
    /// Why nothing of it is to be claimed.
    pub pause: Option<Pause>,
    /// How many of its jobs may run at once.
    pub concurrency: Option<Concurrency>,
    /// How many of its jobs of one key may run at once.
    pub per_key: Option<usize>,
    /// How fast its jobs of one key may start.
    pub key_rate: Option<KeyRate>,
    /// Whether its jobs cost as many tokens as they weigh, and not one each.
    pub weighs: bool,
    /// In how much time of waiting one of its jobs rises by one priority, where priorities decide.
    pub aging: Option<Duration>,
    /// Whether its jobs of one key run one after another.
    pub ordered: bool,
    /// How fast its jobs may start.
    pub bucket: Option<Bucket>,
    /// Until when one of its jobs holds all of them back.
    pub throttled_until: Option<DateTime<Utc>>,
    /// How its circuit breaker is open.
    pub breaker: Option<HeldByBreaker>,
    /// The [stored names](crate::backend::Limit::stored_name) of the limits that it shares with others, about which more is stored.
    pub shared: Vec<ExecutorName>,
    /// Of a shared limit, the executor that has had its turn last.
    pub served: Option<String>,
    /// Of the whole cluster, whether any tag is paused, or has jobs yet that were set aside for it.
    pub pauses_tags: bool,
}

impl Controls {
    /// Those of an executor, or a cluster, that is paused.
    pub fn paused(pause: Pause) -> Self {
        Self { pause: Some(pause), ..Self::default() }
    }

    /// … by this pause as well, which may last for longer.
    pub fn also_paused(&mut self, pause: Pause, now: DateTime<Utc>) {
        if !self.pause.as_ref().is_some_and(|known| known.holds(now)) {
            self.pause = Some(pause);
        }
    }

    /// Whether anything holds that claims have to keep to.
    pub fn is_in_force(&self, now: DateTime<Utc>) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.holds(now))
            || self.concurrency.is_some()
            || self.bucket.is_some()
            || self.terms().is_some()
            || !self.shared.is_empty()
            || self.breaker.is_some()
            || self.pauses_tags
            || self.throttled_until.is_some_and(|until| now < until)
    }

    /// How its jobs are to be taken one by one, if they are.
    fn terms(&self) -> Option<Terms> {
        let pays = self.weighs && (self.bucket.is_some() || !self.shared.is_empty());
        let turns = match (self.ordered, self.per_key) {
            (true, _) => Turns::InOrder,
            (false, Some(most)) => Turns::AtOnce(most),
            (false, None) if self.key_rate.is_some() => Turns::AtOnce(usize::MAX),
            (false, None) => Some(Turns::InQueue).filter(|_| pays || self.aging.is_some())?,
        };
        let mut terms = Terms::new(turns);
        (terms.key_rate, terms.weighs, terms.aging) = (self.key_rate, self.weighs, self.aging);
        Some(terms)
    }

    /// How many more may be claimed, and why no more.
    pub(super) fn limit(&self, now: DateTime<Utc>) -> Option<Limited> {
        let throttled = self.throttled_until.filter(|until| now < *until);
        let bucket = self.bucket.map(|bucket| bucket.at_least_empty(now));
        let breaker = self.breaker.as_ref().map(|held| match now < held.open.until {
            true => Limited { free: 0, by: Limit::Throttle(held.open.until) },
            false => Limited { free: usize::from(held.may_try(now)), by: Limit::Concurrency },
        });
        let limits = [
            breaker,
            throttled.map(|until| Limited { free: 0, by: Limit::Throttle(until) }),
            self.concurrency.map(|concurrency| Limited { free: concurrency.free(), by: Limit::Concurrency }),
            bucket.map(|bucket| Limited { free: bucket.tokens(now), by: Limit::Rate(bucket) }),
        ];
        limits.into_iter().flatten().min_by_key(|limited| limited.free)
    }
}

/// What a limit leaves of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limited {
    pub(super) free: usize,
    pub(super) by: Limit,
}

/// What keeps jobs back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Concurrency,
    Rate(Bucket),
    Throttle(DateTime<Utc>),
}

/// How many jobs of an executor may run at once in the whole cluster, and how many do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Concurrency {
    /// The strictest limit that is declared.
    pub limit: usize,
    /// How many are executing, on whatever node, dead ones among them until their jobs are rescued.
    pub running: usize,
}

impl Concurrency {
    /// So many run of so many.
    pub fn new(running: usize, limit: usize) -> Self {
        Self { limit, running }
    }

    fn free(self) -> usize {
        self.limit.saturating_sub(self.running)
    }
}

impl Limited {
    /// How much of it jobs have taken, of their number and their cost.
    pub(super) fn taken(&self, jobs: usize, cost: usize) -> usize {
        if matches!(self.by, Limit::Rate(_)) { cost } else { jobs }
    }

    /// When there is more, once so many were claimed; `None`: once runs have ended.
    pub(super) fn again_in(&self, claimed: usize, now: DateTime<Utc>) -> Option<Duration> {
        let at = match self.by {
            Limit::Concurrency => return None,
            Limit::Rate(bucket) => bucket.without(claimed, now).again_at(now),
            Limit::Throttle(until) => until,
        };
        Some((at - now).to_std().unwrap_or_default())
    }
}

/// Cuts demands down to what `controls` allow at `now`. They are asked for by executor, and by the
/// [name of the whole cluster](Scope::CLUSTER_NAME).
pub fn admit<'c>(
    demands: &[Demand],
    controls: impl Fn(&ExecutorName) -> Option<&'c Controls>,
    now: DateTime<Utc>,
) -> Admitted {
    let mut admitted = Admitted::default();
    let pause = |name: &ExecutorName| controls(name)?.pause.as_ref().filter(|pause| pause.holds(now));
    let whole = pause(&Scope::CLUSTER_NAME);
    for demand in demands {
        if let Some(pause) = whole.or_else(|| pause(&demand.executor)) {
            admitted.again_at = admitted.again_at.into_iter().chain(pause.until).min();
            continue;
        }
        let own = controls(&demand.executor);
        admitted.take_bucket(&demand.executor, own, now);
        for name in own.map(|own| &own.shared[..]).unwrap_or_default() {
            let limit = controls(name);
            admitted.take_bucket(name, limit, now);
            if let Some((limit, limited)) = limit.and_then(|limit| Some((limit, limit.limit(now)?))) {
                admitted.share(&demand.executor, name, limited, limit.served.clone());
            }
        }
        if own.and_then(|own| own.breaker.as_ref()).is_some_and(|held| held.may_try(now)) {
            admitted.let_through(&demand.executor);
        }
        if let Some(terms) = own.and_then(Controls::terms) {
            admitted.take_by(&demand.executor, terms, now);
        }
        let demand = demand.clone();
        let limited = own.and_then(|own| own.limit(now));
        let demand = match limited.filter(|limited| limited.free < demand.limit) {
            Some(limited) => {
                admitted.limit(&demand.executor, limited);
                demand.at_most(limited.free)
            }
            None => demand,
        };
        admitted.demands.extend(Some(demand).filter(|demand| demand.limit > 0));
    }
    admitted
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;

    use super::*;
    use crate::model::{Held, JobRow};

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn admitted(pause: Option<Pause>) -> Admitted {
        let controls = Controls { pause, ..Controls::default() };
        let of = |executor: &ExecutorName| (executor.as_str() == "mail").then_some(&controls);
        admit(&[Demand::new("mail", 3), Demand::new("print", 2)], of, NOW)
    }

    #[test]
    fn a_pause_of_the_cluster_is_one_of_every_executor_and_ends_by_itself() {
        let end = NOW + TimeDelta::seconds(1);
        let [cluster, mail] = [Pause::new("we move").until(end), Pause::new("SMTP is down")].map(Controls::paused);
        let demands = [Demand::new("mail", 3), Demand::new("print", 2)];
        let of = |name: &ExecutorName| match name.as_str() {
            "" => Some(&cluster),
            "mail" => Some(&mail),
            _ => None,
        };
        assert_eq!(admit(&demands, of, NOW), given(&[], Some(end)));
        assert_eq!(admit(&demands, of, end), given(&demands[1..], None));
    }

    fn given(demands: &[Demand], again_at: Option<DateTime<Utc>>) -> Admitted {
        let mut admitted = Admitted::default();
        (admitted.demands, admitted.again_at) = (demands.into(), again_at);
        admitted
    }

    #[test]
    fn a_paused_executor_is_given_nothing_and_the_others_what_they_ask_for() {
        let print = vec![Demand::new("print", 2)];
        let all = vec![Demand::new("mail", 3), Demand::new("print", 2)];
        assert_eq!(admitted(None), given(&all, None));
        let pause = Pause::new("SMTP is down");
        assert_eq!(admitted(Some(pause.clone())), given(&print, None));
        let end = NOW + TimeDelta::seconds(1);
        assert_eq!(admitted(Some(pause.clone().until(end))), given(&print, Some(end)));
        assert_eq!(admitted(Some(pause.until(NOW))), given(&all, None), "it is over");
    }
    #[test]
    fn a_limit_leaves_what_does_not_run_yet() {
        let admitted = |running, limit| {
            let controls = Controls { concurrency: Some(Concurrency { limit, running }), ..Controls::default() };
            let of = |executor: &ExecutorName| (executor.as_str() == "mail").then_some(&controls);
            admit(&[Demand::new("mail", 3), Demand::new("print", 2)], of, NOW)
        };
        let [mail, print] = ["mail", "print"].map(ExecutorName::from);
        let left = |running, limit| {
            let admitted = admitted(running, limit);
            let mail = admitted.demands.iter().find(|demand| demand.executor == mail).map(|demand| demand.limit);
            assert_eq!(admitted.demands.last(), Some(&Demand::new(print.clone(), 2)));
            (mail, admitted.limited())
        };
        assert_eq!(left(0, 3), (Some(3), 0));
        assert_eq!(left(2, 4), (Some(2), 1));
        // More may run than the limit allows: it was declared while they did.
        assert_eq!([left(4, 4), left(9, 4)], [(None, 1), (None, 1)]);
        let job = JobRow::empty(1.into(), mail.clone());
        let held = [Held::new(mail, None)];
        assert_eq!(admitted(2, 4).full(&[], &BTreeMap::new(), NOW), [], "there were fewer than may run");
        assert_eq!(admitted(2, 4).full(&[job.clone(), job], &BTreeMap::new(), NOW), held);
        assert_eq!(admitted(4, 4).full(&[], &BTreeMap::new(), NOW), held);
    }

    #[test]
    fn of_several_limits_the_tightest_says_when_to_come_again() {
        let mail = ExecutorName::from("mail");
        let admitted =
            |controls: &Controls| admit(&[Demand::new("mail", 9)], |name| (*name == mail).then_some(controls), NOW);
        let bucket = Bucket::new(1_000_000_000, 3, None);
        let mut controls = Controls { bucket: Some(bucket), ..Controls::default() };
        let job = JobRow::empty(1.into(), mail.clone());
        let jobs = vec![job; 3];
        let by_rate = admitted(&controls);
        assert_eq!((by_rate.demands[0].limit, by_rate.full(&jobs[..2], &BTreeMap::new(), NOW)), (3, vec![]));
        let second = TimeDelta::seconds(1);
        assert_eq!(by_rate.full(&jobs, &BTreeMap::new(), NOW), [Held::new(mail.clone(), second.to_std().ok())]);
        assert_eq!(by_rate.spent(&jobs, NOW)[0].1.tokens(NOW), 0);
        controls.concurrency = Some(Concurrency::new(5, 7));
        assert_eq!(admitted(&controls).full(&jobs, &BTreeMap::new(), NOW), [Held::new(mail.clone(), None)]);
        assert_eq!(admitted(&controls).spent(&jobs[..2], NOW)[0].1.tokens(NOW), 1, "tokens are taken all the same");
        controls.throttled_until = Some(NOW + second);
        assert_eq!(
            admitted(&controls).full(&[], &BTreeMap::new(), NOW),
            [Held::new(mail.clone(), second.to_std().ok())]
        );
        assert!(admitted(&controls).demands.is_empty());
        controls.throttled_until = Some(NOW);
        assert_eq!(admitted(&controls).demands[0].limit, 2, "it is over");
    }
}
