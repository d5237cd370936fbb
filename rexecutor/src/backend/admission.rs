//! What of a node's demands the cluster allows: the one place where it is decided.
//!
//! A claim has two steps, in one transaction. The first is this: each demand is cut down to what is
//! [stored](Controls) about its executor and about the whole cluster. The second takes due jobs for what is left. An
//! executor about which nothing is stored does not come here at all: a backend keeps the set of those about which something
//! is, and asks the database only for these.
//!
//! # Invariants
//!
//! - A claim gives no job of an executor that is paused, nor any job while the whole cluster is.
//! - Of an executor with a limit never more jobs are executing in the cluster than the limit, but for those that ran before
//!   it was declared. What counts is what is executing when the claim decides, while no other claim of that executor can
//!   decide; there is no counter that a node which dies could leave wrong.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::model::{Demand, ExecutorName, JobRow, Pause, Scope};

/// What is stored about an executor, or about the whole cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Controls {
    /// Why nothing of it is to be claimed.
    pub pause: Option<Pause>,
    /// How many of its jobs may run at once.
    pub concurrency: Option<Concurrency>,
}

impl Controls {
    /// Those of an executor, or a cluster, that is paused.
    pub fn paused(pause: Pause) -> Self {
        Self { pause: Some(pause), ..Self::default() }
    }
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

/// What may be claimed, and when there may be more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Admitted {
    /// What is left of the demands, in their order.
    pub demands: Vec<Demand>,
    /// When a pause ends by itself that has kept something back.
    pub again_at: Option<DateTime<Utc>>,
    /// Those of whom a limit allows fewer than were asked for, and how many.
    pub limited: BTreeMap<ExecutorName, usize>,
}

impl Admitted {
    /// Those of whom there may be more due jobs than the claim gave, because a limit kept them back.
    pub fn full(&self, jobs: &[JobRow]) -> Vec<ExecutorName> {
        let mut left = self.limited.clone();
        for job in jobs {
            if let Some(left) = left.get_mut(job.executor.as_str()) {
                *left = left.saturating_sub(1);
            }
        }
        left.into_iter().filter(|(_, left)| *left == 0).map(|(executor, _)| executor).collect()
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
        let free = controls(&demand.executor).and_then(|controls| controls.concurrency).map(Concurrency::free);
        let demand = demand.clone();
        let demand = match free.filter(|free| *free < demand.limit) {
            Some(free) => {
                admitted.limited.insert(demand.executor.clone(), free);
                demand.at_most(free)
            }
            None => demand,
        };
        admitted.demands.extend(Some(demand).filter(|demand| demand.limit > 0));
    }
    admitted
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

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
        Admitted { demands: demands.into(), again_at, limited: BTreeMap::new() }
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
            (mail, admitted.limited.len())
        };
        assert_eq!(left(0, 3), (Some(3), 0));
        assert_eq!(left(2, 4), (Some(2), 1));
        // More may run than the limit allows: it was declared while they did.
        assert_eq!([left(4, 4), left(9, 4)], [(None, 1), (None, 1)]);
        let job = JobRow::empty(1.into(), mail.clone());
        assert_eq!(admitted(2, 4).full(&[]), [], "there were fewer than may run");
        assert_eq!(admitted(2, 4).full(&[job.clone(), job]), [mail.clone()]);
        assert_eq!(admitted(4, 4).full(&[]), [mail]);
    }
}
