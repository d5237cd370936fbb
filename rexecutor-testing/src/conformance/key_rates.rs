//! Rates of which each key has its own. A backend that has no [control](rexecutor::backend::Control) is held to nothing here.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use rexecutor::{
    backend::{Backend, Claimed, ClusterLimits, Demand, LimitChange, NewJob, OnDiscard, Outcome, Rate},
    job::{ExecutorName, JobStatus},
};
use tokio::sync::Mutex;

use super::{
    costs::{again_in, claim, weights},
    harness::{COMPLETE, Harness, ids, job},
};

/// One a second of each key, two of them at once.
const OF_EACH: Rate = Rate::new(1, Duration::from_secs(1)).with_burst(2);

const KEYED: ClusterLimits = ClusterLimits::NONE.with_key_rate(Some(OF_EACH));

fn keyed(key: &str) -> NewJob {
    job("mail").with_group_key(key.to_owned())
}

fn keys(claimed: &Claimed) -> String {
    let mut keys: Vec<&str> = claimed.jobs.iter().filter_map(|job| job.extras.group_key.as_deref()).collect();
    keys.sort_unstable();
    keys.concat()
}

/// Each key has a bucket of its own; what a full key has no tokens for keeps no other one waiting, and the node is told when the first of
/// them has tokens again.
pub async fn case_14_4_each_key_has_a_rate_of_its_own(t: &Harness) {
    if !t.knows_costs() {
        return;
    }
    let (node, other) = (t.join().await, t.join().await);
    t.enqueue_all(["a", "a", "a", "a", "b", "c", "c", "c"].map(keyed).into()).await;
    let first = t.costs(node, KEYED).await;
    assert_eq!((keys(&first).as_str(), again_in(&first)), ("aabcc", Some(1_000)), "two of each at once");
    assert!(t.settle(&first.jobs[0], Outcome::GiveBack).await, "its token is spent");
    let none = t.costs(other, KEYED).await;
    assert_eq!((keys(&none).as_str(), again_in(&none)), ("", Some(1_000)));
    t.enqueue(keyed("d")).await;
    assert_eq!(keys(&t.costs(other, KEYED).await), "d", "a new key does not wait");
    t.pass(999).await;
    assert_eq!(again_in(&t.costs(node, KEYED).await), Some(20), "no sooner than it is worth while");
    t.pass(1).await;
    assert_eq!(keys(&t.costs(node, KEYED).await), "ac");
    for node in [node, other] {
        t.backend.leave(node).await.expect("a node can leave");
    }
    let late = t.join().await;
    assert!(t.claim(late, "mail", 9).await.len() >= 2, "nobody declares the rate any more");
}

/// Sixteen tasks on four nodes claim while time goes on: each key gets what its rate allows, no more and no less.
pub async fn case_14_4_sixteen_claimers_share_the_tokens_of_each_key(t: &Harness) {
    const FAST: Rate = Rate::new(20, Duration::from_secs(1)).with_burst(3);
    const LIMITS: ClusterLimits = ClusterLimits::NONE.with_key_rate(Some(FAST));
    if !t.knows_costs() {
        return;
    }
    let names = ["a", "b", "c"];
    t.enqueue_all((0..120).map(|n| keyed(names[n % 3])).collect()).await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(t.join().await);
    }
    let claimed = Arc::<Mutex<BTreeMap<String, usize>>>::default();
    for step in 0..12 {
        let tasks = (0..16).map(|task| {
            let (backend, node, claimed) = (t.backend.clone(), nodes[task % nodes.len()], claimed.clone());
            tokio::spawn(async move {
                let jobs = claim(&*backend, node, 1 + task % 3, LIMITS).await.jobs;
                for job in &jobs {
                    *claimed.lock().await.entry(job.extras.group_key.clone().unwrap_or_default()).or_default() += 1;
                }
                let ends = jobs.iter().map(|row| rexecutor::backend::Settlement::new(row.id, row.lease, COMPLETE));
                assert_eq!(backend.settle(ends.collect()).await.expect("outcomes can be stored"), []);
            })
        });
        for ended in futures::future::join_all(tasks).await {
            ended.expect("no task panics");
        }
        for (key, count) in &*claimed.lock().await {
            assert_eq!(*count, 3 + step, "of {key} after {step} times 50 ms");
        }
        t.pass(50).await;
    }
}

/// A job that has met a quota holds back the jobs of its key, on all nodes, and no others.
pub async fn case_14_4_a_throttled_job_holds_its_key_back(t: &Harness) {
    if !t.knows_costs() {
        return;
    }
    let (node, other) = (t.join().await, t.join().await);
    t.enqueue_all(["a", "a", "b"].map(keyed).into()).await;
    let run = claim(&*t.backend, node, 1, KEYED).await.jobs.remove(0);
    assert!(t.settle(&run, Outcome::throttle_key(TimeDelta::seconds(60))).await);
    let row = t.row(run.id).await;
    assert_eq!(
        (row.status, row.attempt, row.scheduled_at),
        (JobStatus::Scheduled, 0, t.now() + TimeDelta::seconds(60))
    );
    assert_eq!(keys(&t.costs(other, KEYED).await), "b");
    t.pass(59_999).await;
    assert_eq!(t.costs(other, KEYED).await.jobs, []);
    t.pass(1).await;
    assert_eq!(keys(&t.costs(other, KEYED).await), "aa");
    // One that has no key holds its executor back.
    t.enqueue_all(vec![job("mail"), keyed("c")]).await;
    let run = t.costs(node, KEYED).await.jobs.into_iter().find(|job| job.extras.group_key.is_none());
    assert!(t.settle(&run.expect("it is claimed"), Outcome::throttle_key(TimeDelta::seconds(60))).await);
    t.enqueue(keyed("e")).await;
    assert_eq!(t.costs(other, KEYED).await.jobs, []);
}

/// A key that is held back waits for as long as it was told, also where the clock is set back meanwhile.
pub async fn case_44_a_key_that_is_held_back_waits_no_longer_for_a_clock_that_was_set_back(t: &Harness) {
    if !t.knows_costs() {
        return;
    }
    let node = t.join().await;
    t.enqueue_all(["a", "a"].map(keyed).into()).await;
    let run = claim(&*t.backend, node, 1, KEYED).await.jobs.remove(0);
    assert!(t.backend.heartbeat(node).await.expect("it is a member").member);
    assert!(t.settle(&run, Outcome::throttle_key(TimeDelta::seconds(90))).await);
    t.clock.jump(TimeDelta::hours(-2)).await;
    assert!(t.backend.heartbeat(node).await.expect("it is a member").member);
    assert_eq!(t.costs(node, KEYED).await.jobs, []);
    t.wait(89).await;
    assert_eq!(t.costs(node, KEYED).await.jobs, []);
    t.wait(1).await;
    assert_eq!(keys(&t.costs(node, KEYED).await), "aa");
}

/// The slower of two rates of a key holds, and the smaller burst, for those who declare none as well; one that somebody has set holds in
/// their place, and buckets that have become faster are filled from then on.
pub async fn case_14_4_the_slowest_rate_of_a_key_holds_until_one_is_set(t: &Harness) {
    let Some(control) = t.backend.control() else { return };
    let fast = ClusterLimits::NONE.with_key_rate(Some(Rate::new(1_000, Duration::from_secs(1)).with_burst(1)));
    let (one, two, silent) = (t.join().await, t.join().await, t.join().await);
    t.enqueue_all(vec![keyed("a"); 9]).await;
    assert_eq!(keys(&claim(&*t.backend, one, 1, KEYED).await), "a");
    assert_eq!(keys(&t.costs(two, fast).await), "", "of one at once, one is taken");
    t.pass(1_000).await;
    assert_eq!(t.claim(silent, "mail", 9).await.len(), 1, "one a second");
    let slow = LimitChange::new("a quarter hour each").key_rate_limit(Rate::new(1, Duration::from_secs(900)));
    control.set_limits(&"mail".into(), Some(slow.clone())).await.expect("limits can be set");
    assert_eq!(control.limits().await.expect("limits can be read")[0].change, slow);
    t.pass(1_000).await;
    assert_eq!(t.costs(one, KEYED).await.jobs.len(), 1);
    t.pass(100_000).await;
    assert_eq!(t.costs(one, KEYED).await.jobs, []);
    control.set_limits(&ExecutorName::from("mail"), None).await.expect("limits can be reset");
    assert_eq!(t.costs(one, KEYED).await.jobs, [], "it is filled from now on");
    t.pass(1_000).await;
    assert_eq!(t.costs(one, KEYED).await.jobs.len(), 1);
}

/// A rate of each key holds beside a limit per key, an order, a rate of all, and weights.
pub async fn case_14_4_rates_of_keys_hold_beside_the_others(t: &Harness) {
    if !t.knows_costs() {
        return;
    }
    let node = t.join().await;
    t.enqueue_all(["a", "a", "b", "b"].map(keyed).into()).await;
    let both = KEYED.with_per_key(Some(1));
    let runs = t.costs(node, both).await;
    assert_eq!(keys(&runs), "ab");
    assert!(t.settle(&runs.jobs[0], COMPLETE).await);
    assert_eq!(t.costs(node, both).await.jobs.len(), 1, "the one that runs keeps its key");
    t.backend.leave(node).await.expect("a node can leave");

    let node = t.join().await;
    let in_line = |executor: &str, weight| {
        NewJob::new(executor.to_owned(), "{}")
            .with_group_key("a".to_owned())
            .with_order(OnDiscard::Skip)
            .with_weight(weight)
    };
    t.enqueue_all(vec![in_line("sent", 2), in_line("sent", 1), in_line("sent", 2)]).await;
    let limits = KEYED.with_ordered(true).with_weighs(true).with_rate(Some(Rate::new(10, Duration::from_secs(1))));
    let next = async || {
        let demand = Demand::new("sent", 9).with_cluster_limits(limits);
        t.backend.claim(node, [demand].into()).await.expect("jobs can be claimed")
    };
    let first = next().await;
    assert_eq!(weights(&first), [2]);
    assert!(t.settle(&first.jobs[0], COMPLETE).await);
    let none = next().await;
    assert_eq!((weights(&none), none.next_due_in), (vec![], Some(Duration::from_secs(1))));
    t.pass(1_000).await;
    let second = next().await;
    assert_eq!(weights(&second), [1]);
    assert!(t.settle(&second.jobs[0], COMPLETE).await);
    t.pass(1_999).await;
    assert_eq!(weights(&next().await), [] as [u32; 0], "it costs two");
    t.pass(1).await;
    assert_eq!(weights(&next().await), [2]);
}

/// A thousand keys that have no tokens, with many jobs each, keep no other key from its turn.
pub async fn case_14_4_keys_without_tokens_keep_no_other_waiting(t: &Harness) {
    if !t.knows_costs() {
        return;
    }
    let node = t.join().await;
    let slow = ClusterLimits::NONE.with_key_rate(Some(Rate::new(1, Duration::from_secs(3_600))));
    t.enqueue_all((0..1_200).map(|n| keyed(&format!("key {n:04}"))).collect()).await;
    let mut count = 0;
    while count < 1_200 {
        let claimed = claim(&*t.backend, node, 400, slow).await.jobs.len();
        assert!(claimed > 0, "{count}");
        count += claimed;
    }
    t.enqueue_all((0..1_200).map(|n| keyed(&format!("key {n:04}"))).collect()).await;
    let last = t.enqueue(keyed("z")).await;
    let mut looks = 0;
    loop {
        let claimed = claim(&*t.backend, node, 400, slow).await;
        if !claimed.jobs.is_empty() {
            assert_eq!(ids(&claimed.jobs), [last]);
            break;
        }
        looks += 1;
        assert!(looks < 3, "a walk goes on where the last one stopped");
    }
}
