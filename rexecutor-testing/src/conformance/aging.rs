//! Jobs that rise in priority as they wait. A backend that has no [control](rexecutor::backend::Control) is held to nothing here.

use std::time::Duration;

use chrono::TimeDelta;
use rexecutor::{
    backend::{ClusterLimits, Demand, Due, Rate},
    job::{JobId, NodeId},
};

use super::harness::{Harness, ids, job};

/// One priority for each ten seconds.
const AGING: ClusterLimits = ClusterLimits::NONE.with_aging(Some(Duration::from_secs(10)));

impl Harness {
    async fn aged(&self, node: NodeId, demand: usize, limits: ClusterLimits) -> Vec<JobId> {
        let demand = Demand::new("mail", demand).with_cluster_limits(limits);
        let mut ids = ids(&self.backend.claim(node, [demand].into()).await.expect("jobs can be claimed").jobs);
        ids.sort_unstable();
        ids
    }
}

/// A job that has waited for long enough comes before those that are more urgent and came later; the stored priority stays, and those
/// who declare nothing keep to it as well.
pub async fn case_14_7_a_job_rises_by_a_priority_for_each_time_that_it_waits(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let (node, silent) = (t.join().await, t.join().await);
    let low = t.enqueue(job("mail").with_priority(3)).await;
    t.wait(29).await;
    let high = t.enqueue(job("mail").with_priority(0)).await;
    assert_eq!(t.aged(node, 1, AGING).await, [high], "three priorities are thirty seconds");
    t.wait(2).await;
    let later = t.enqueue_all(vec![job("mail").with_priority(0), job("mail").with_priority(1)]).await;
    assert_eq!(t.aged(silent, 1, ClusterLimits::NONE).await, [low]);
    assert_eq!(t.row(low).await.priority, 3);
    assert_eq!(t.aged(node, 1, AGING).await, [later[0].id()], "of one age priority decides");
    assert_eq!(t.aged(node, 9, AGING).await, [later[1].id()]);
}

/// It counts from when a job is due, and not from when it was enqueued; and what is not due is not claimed.
pub async fn case_14_7_a_job_rises_from_when_it_is_due(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let node = t.join().await;
    let later = t.enqueue(job("mail").with_priority(1).with_due(Due::In(TimeDelta::seconds(60)))).await;
    assert_eq!(t.aged(node, 9, AGING).await, []);
    t.wait(65).await;
    let urgent = t.enqueue(job("mail").with_priority(0)).await;
    assert_eq!(t.aged(node, 1, AGING).await, [urgent], "it has waited for five seconds");
    assert_eq!(t.aged(node, 1, AGING).await, [later]);
}

/// A thousand urgent jobs keep one that has waited for long from its turn no longer; a rate holds beside it.
pub async fn case_14_7_a_job_that_has_waited_is_not_starved(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let node = t.join().await;
    let low = t.enqueue(job("mail").with_priority(9)).await;
    t.wait(91).await;
    t.enqueue_all(vec![job("mail").with_priority(0); 1_000]).await;
    let limits = AGING.with_rate(Some(Rate::new(2, Duration::from_secs(1))));
    let first = t.aged(node, 500, limits).await;
    assert_eq!((first.len(), first[0]), (2, low));
    assert_eq!(t.aged(node, 500, limits).await, []);
    t.wait(1).await;
    assert_eq!(t.aged(node, 500, limits).await.len(), 2);
}
