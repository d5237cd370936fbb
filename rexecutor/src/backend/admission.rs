//! What of a node's demands the cluster allows: the one place where it is decided.
//!
//! A claim has two steps, in one transaction. The first is this: each demand is cut down to what is
//! [stored](Controls) about its executor and about the whole cluster. The second takes due jobs for what is left. An
//! executor about which nothing is stored does not come here at all: a backend keeps the set of those about which something
//! is, and asks the database only for these.
//!
//! # Invariant
//!
//! - A claim gives no job of an executor that is paused, nor any job while the whole cluster is.

use chrono::{DateTime, Utc};

use crate::model::{Demand, ExecutorName, Pause, Scope};

/// What is stored about an executor, or about the whole cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Controls {
    /// Why nothing of it is to be claimed.
    pub pause: Option<Pause>,
}

impl Controls {
    /// Those of an executor, or a cluster, that is paused.
    pub fn paused(pause: Pause) -> Self {
        Self { pause: Some(pause) }
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
        match whole.or_else(|| pause(&demand.executor)) {
            Some(pause) => admitted.again_at = admitted.again_at.into_iter().chain(pause.until).min(),
            None => admitted.demands.push(demand.clone()),
        }
    }
    admitted
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn admitted(pause: Option<Pause>) -> Admitted {
        let controls = Controls { pause };
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
        assert_eq!(admit(&demands, of, NOW), Admitted { demands: Vec::new(), again_at: Some(end) });
        assert_eq!(admit(&demands, of, end), Admitted { demands: demands[1..].into(), again_at: None });
    }

    #[test]
    fn a_paused_executor_is_given_nothing_and_the_others_what_they_ask_for() {
        let print = vec![Demand::new("print", 2)];
        let all = vec![Demand::new("mail", 3), Demand::new("print", 2)];
        assert_eq!(admitted(None), Admitted { demands: all.clone(), again_at: None });
        let pause = Pause::new("SMTP is down");
        assert_eq!(admitted(Some(pause.clone())), Admitted { demands: print.clone(), again_at: None });
        let end = NOW + TimeDelta::seconds(1);
        assert_eq!(admitted(Some(pause.clone().until(end))), Admitted { demands: print, again_at: Some(end) });
        assert_eq!(admitted(Some(pause.until(NOW))), Admitted { demands: all, again_at: None }, "it is over");
    }
}
