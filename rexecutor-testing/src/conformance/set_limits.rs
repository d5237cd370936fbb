//! Limits that somebody sets while programs run. A backend that has no [control](rexecutor::backend::Control) is held to nothing here.

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use rexecutor::{
    backend::{ClusterLimits, Demand, LimitChange, Rate, Wakeup},
    job::NodeId,
};

use super::harness::{COMPLETE, Harness, job};

impl Harness {
    async fn set_limits(&self, change: Option<LimitChange>) -> bool {
        let control = self.backend.control().expect("it has it");
        control.set_limits(&"mail".into(), change).await.expect("limits can be set")
    }

    /// How many jobs a node is given whose program declares this.
    async fn given(&self, node: NodeId, declared: ClusterLimits) -> usize {
        let demand = Demand::new("mail", 50).with_cluster_limits(declared);
        self.backend.claim(node, [demand].into()).await.expect("jobs can be claimed").jobs.len()
    }
}

fn change() -> LimitChange {
    LimitChange::new("the provider asked for it").by("ann")
}

/// Whatever programs declare, stricter or not; also those that join later, and for nodes that have declared it before.
pub async fn a_limit_that_was_set_holds_over_those_that_are_declared_until_it_is_reset(t: &Harness) {
    let Some(control) = t.backend.control() else { return };
    let declared = ClusterLimits::NONE.with_concurrency(Some(4));
    t.enqueue_all(vec![job("mail"); 40]).await;
    let node = t.join().await;
    assert!(!t.set_limits(Some(change().cluster_concurrency(1))).await, "none was set before");
    assert_eq!(t.given(node, declared).await, 1);
    let listed = control.limits().await.expect("limits can be read");
    assert_eq!((listed.len(), listed[0].executor.as_str(), listed[0].since), (1, "mail", t.now()));
    assert_eq!(listed[0].change, change().cluster_concurrency(1));
    t.wait(5).await;
    assert!(t.set_limits(Some(change().cluster_concurrency(7))).await, "one was set before");
    assert_eq!(control.limits().await.expect("limits can be read")[0].since, t.now());
    let late = t.join().await;
    assert_eq!((t.given(late, declared).await, t.given(node, declared).await), (6, 0));
    assert!(t.set_limits(None).await);
    assert!(!t.set_limits(None).await, "it was reset");
    assert_eq!(control.limits().await.expect("limits can be read"), []);
    let runs = control.running(&rexecutor::backend::Scope::Cluster).await.expect("it can be read");
    assert_eq!((runs.len(), t.given(node, declared).await), (7, 0), "four may run");
    for row in t.all().await.into_iter().filter(|row| row.node.is_some()).take(5) {
        assert!(t.settle(&row, COMPLETE).await);
    }
    assert_eq!(t.given(node, declared).await, 2);
}

/// Of an executor about which no program says anything, in the middle of a long queue, and of jobs of each key.
pub async fn a_limit_is_set_of_an_executor_that_declares_none(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    t.enqueue_all(vec![job("mail"); 1_000]).await;
    let node = t.join().await;
    for _ in 0..3 {
        assert_eq!(t.claim(node, "mail", 150).await.len(), 150);
    }
    t.set_limits(Some(change().cluster_concurrency(460))).await;
    assert_eq!(t.given(node, ClusterLimits::NONE).await, 10);
    assert_eq!(t.claim_from(t.join().await, &[("mail", 5), ("print", 5)]).await.jobs.len(), 0);
    t.set_limits(Some(change().key_concurrency(1))).await;
    t.enqueue_all(["a", "a", "b"].map(|key| job("mail").with_group_key(key.to_owned()).with_priority(0)).into()).await;
    let demand = Demand::new("mail", 20);
    let keys = t.backend.claim(node, [demand].into()).await.expect("jobs can be claimed").jobs;
    let mut keys: Vec<_> = keys.iter().filter_map(|job| job.extras.group_key.clone()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a", "b"]);
    assert!(t.set_limits(None).await);
    assert_eq!(t.claim(node, "mail", 1_000).await.len(), 1_003 - 460 - 20);
}

/// A rate takes the place of a slower and of a faster one, from one claim to the next, and comes back as it was given.
pub async fn a_rate_is_set_while_jobs_wait_for_another_one(t: &Harness) {
    let Some(control) = t.backend.control() else { return };
    let rate = |jobs, seconds| Rate::new(jobs, Duration::from_secs(seconds));
    let declared = ClusterLimits::NONE.with_rate(Some(rate(1, 3_600)));
    t.enqueue_all(vec![job("mail"); 40]).await;
    let node = t.join().await;
    assert_eq!((t.given(node, declared).await, t.given(node, declared).await), (1, 0));
    let faster = change().rate_limit(rate(60, 60).with_burst(3));
    t.set_limits(Some(faster.clone())).await;
    assert_eq!(control.limits().await.expect("limits can be read")[0].change, faster);
    assert_eq!(t.given(node, declared).await, 0, "it begins with an empty bucket");
    t.wait(3).await;
    assert_eq!((t.given(node, declared).await, t.given(node, declared).await), (3, 0));
    t.wait(2).await;
    assert_eq!(t.given(node, declared).await, 2);
    assert!(t.set_limits(None).await);
    t.wait(60).await;
    assert_eq!((t.given(node, declared).await, t.given(node, declared).await), (1, 0));
    t.wait(3_599).await;
    assert_eq!(t.given(node, declared).await, 0, "an hour for each");
    t.wait(1).await;
    assert_eq!(t.given(node, declared).await, 1);
}

/// Who waits for a limit hears that it has changed.
pub async fn listeners_are_woken_when_limits_are_set(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let wakeup = Arc::new(Wakeup::default());
    let _watching = t.backend.watch(wakeup.clone());
    for change in [Some(change().cluster_concurrency(3)), None] {
        t.set_limits(change).await;
        let reasons = wakeup.listen().now_or_never().expect("it has fired");
        assert!(reasons.all || reasons.executors.contains("mail"), "{reasons:?}");
    }
}

/// What no backend could keep to is refused, and nothing is changed.
pub async fn limits_that_let_nothing_run_are_refused(t: &Harness) {
    let Some(control) = t.backend.control() else { return };
    let none = Rate::new(0, Duration::from_secs(1));
    let wrong = [
        ("mail", change(), "no limit is given"),
        ("mail", change().cluster_concurrency(0), "pause"),
        ("mail", change().key_concurrency(0), "pause"),
        ("mail", change().rate_limit(none), "rate"),
        ("mail", LimitChange::new("a\0b").key_concurrency(1), "U+0000"),
        ("", change().key_concurrency(1), "empty"),
    ];
    for (executor, change, part) in wrong {
        let error = control.set_limits(&executor.into(), Some(change)).await.expect_err("it is refused");
        assert!(!error.is_transient() && error.to_string().contains(part), "{error}");
    }
    assert_eq!(control.limits().await.expect("limits can be read"), []);
}
