//! Limits of how many jobs start in how much time, and jobs that hold their executor back. A backend that has no
//! [control](rexecutor::backend::Control) is held to nothing here.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use rexecutor::{
    backend::{Backend, Claimed, ClusterLimits, Demand, Outcome, Rate},
    job::{JobStatus, NodeId},
};
use tokio::sync::Mutex;

use super::harness::{COMPLETE, Harness, ids, job};

/// Ten a second, four of them at once.
const RATE: Rate = Rate::new(10, Duration::from_secs(1)).with_burst(4);

async fn claim(backend: &dyn Backend, node: NodeId, demand: usize, rate: Rate) -> Claimed {
    let demand = Demand::new("mail", demand).with_cluster_limits(ClusterLimits::NONE.with_rate(Some(rate)));
    backend.claim(node, [demand].into()).await.expect("jobs can be claimed")
}

impl Harness {
    async fn start(&self, node: NodeId, rate: Rate) -> usize {
        claim(&*self.backend, node, 50, rate).await.jobs.len()
    }

    async fn millis(&self, millis: i64) {
        self.clock.advance(TimeDelta::milliseconds(millis)).await;
    }

    fn keeps_to_rates(&self) -> bool {
        self.backend.control().is_some()
    }
}

/// Tokens are for all nodes together, come evenly, and are spent by a claim, whatever becomes of the jobs and of the node.
pub async fn no_more_are_claimed_than_the_rate_allows(t: &Harness) {
    if !t.keeps_to_rates() {
        return;
    }
    t.enqueue_all((0..100).map(|_| job("mail")).collect()).await;
    let [one, other] = [t.join().await, t.join().await];
    let first = claim(&*t.backend, one, 3, RATE).await;
    assert_eq!((first.jobs.len(), first.held.len()), (3, 0), "as many as were asked for");
    assert!(t.settle(&first.jobs[0], Outcome::GiveBack).await, "its token is spent");
    let rest = claim(&*t.backend, other, 50, RATE).await;
    assert_eq!((rest.jobs.len(), rest.held.len()), (1, 1));
    assert_eq!(rest.held[0].again_in, Some(Duration::from_millis(200)), "two tokens are half of what it holds");
    assert_eq!(t.start(one, RATE).await, 0);
    t.millis(99).await;
    assert_eq!(t.start(one, RATE).await, 0);
    t.millis(1).await;
    assert_eq!(t.start(one, RATE).await, 1);
    t.millis(250).await;
    assert_eq!(t.start(other, RATE).await, 2);
    t.millis(50).await;
    assert_eq!(t.start(other, RATE).await, 1, "half a token was left");
    for node in [one, other] {
        t.backend.leave(node).await.expect("a node can leave");
    }
    let late = t.join().await;
    assert_eq!(t.start(late, RATE).await, 0, "the bucket is where it was");
    t.wait(60).await;
    let late = t.join().await;
    assert_eq!(t.start(late, RATE).await, 4, "and it holds no more than the burst");
}

/// A claim that a rate leaves nothing to says so only if anything is due, and leaves the others alone.
pub async fn a_rate_holds_back_nothing_where_nothing_is_due(t: &Harness) {
    if !t.keeps_to_rates() {
        return;
    }
    let node = t.join().await;
    t.enqueue_all((0..4).map(|_| job("mail")).collect()).await;
    t.enqueue(job("mail").with_due(rexecutor::backend::Due::In(TimeDelta::seconds(60)))).await;
    t.enqueue(job("print")).await;
    assert_eq!(t.start(node, RATE).await, 4);
    let mail = Demand::new("mail", 5).with_cluster_limits(ClusterLimits::NONE.with_rate(Some(RATE)));
    let claimed = t.backend.claim(node, [mail, Demand::new("print", 5)].into()).await.expect("jobs can be claimed");
    assert_eq!(claimed.jobs.iter().map(|job| job.executor.as_str()).collect::<Vec<_>>(), ["print"]);
    assert_eq!((claimed.held.len(), claimed.next_due_in), (0, Some(Duration::from_secs(60))));
}

/// The slower of two rates holds, and the smaller burst, for members that declare none, too.
pub async fn the_slowest_declared_rate_holds(t: &Harness) {
    let [slow, fast] = [Rate::new(60, Duration::from_secs(60)), Rate::new(1_000, Duration::from_secs(1)).with_burst(5)];
    if !t.keeps_to_rates() {
        return;
    }
    t.enqueue_all((0..100).map(|_| job("mail")).collect()).await;
    let [silent, one, other] = [t.join().await, t.join().await, t.join().await];
    assert_eq!(claim(&*t.backend, one, 1, slow).await.jobs.len(), 1);
    assert_eq!(t.start(other, fast).await, 4, "the burst of the other, of which one token is spent");
    assert_eq!(t.claim(silent, "mail", 50).await, []);
    t.wait(2).await;
    assert_eq!(t.claim(silent, "mail", 50).await.len(), 2, "one a second");
    t.backend.leave(one).await.expect("a node can leave");
    assert_eq!(t.claim(silent, "mail", 50).await, [], "what the slow one has taken is taken");
    t.millis(3).await;
    assert_eq!(t.claim(silent, "mail", 50).await.len(), 3, "a thousand a second from then on");
}

/// Sixteen tasks on four nodes claim while time goes on: they get what the rate allows, no more and no less.
pub async fn sixteen_claimers_share_the_tokens_of_a_rate(t: &Harness) {
    const RATE: Rate = Rate::new(100, Duration::from_secs(1)).with_burst(7);
    if !t.keeps_to_rates() {
        return;
    }
    t.enqueue_all((0..600).map(|_| job("mail")).collect()).await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(t.join().await);
    }
    let claimed = Arc::<Mutex<usize>>::default();
    for step in 0..30 {
        let tasks = (0..16).map(|task| {
            let (backend, node, claimed) = (t.backend.clone(), nodes[task % nodes.len()], claimed.clone());
            tokio::spawn(async move {
                let jobs = claim(&*backend, node, 1 + task % 3, RATE).await.jobs;
                *claimed.lock().await += jobs.len();
                let ends = jobs.iter().map(|row| rexecutor::backend::Settlement::new(row.id, row.lease, COMPLETE));
                assert_eq!(backend.settle(ends.collect()).await.expect("outcomes can be stored"), []);
            })
        });
        for ended in futures::future::join_all(tasks).await {
            ended.expect("no task panics");
        }
        assert_eq!(*claimed.lock().await, 7 + 5 * step, "after {step} times 50 ms");
        t.millis(50).await;
    }
}

/// A job that has met a quota holds back all jobs of its executor, on all nodes and whatever they declare, and no others; its
/// attempt does not count, and of two such answers the longest holds.
pub async fn a_throttled_job_holds_its_executor_back(t: &Harness) {
    if !t.keeps_to_rates() {
        return;
    }
    let (node, other) = (t.join().await, t.join().await);
    t.enqueue_all((0..4).map(|_| job("mail")).collect()).await;
    t.enqueue(job("print")).await;
    let runs = t.claim(node, "mail", 2).await;
    assert!(t.settle(&runs[0], Outcome::throttle(TimeDelta::seconds(60))).await);
    assert!(t.settle(&runs[1], Outcome::throttle(TimeDelta::seconds(30))).await, "what runs is left to end");
    let row = t.row(runs[0].id).await;
    assert_eq!(
        (row.status, row.attempt, row.scheduled_at),
        (JobStatus::Scheduled, 0, t.now() + TimeDelta::seconds(60))
    );
    for node in [node, other] {
        let claimed = t.claim_from(node, &[("mail", 9), ("print", 9)]).await;
        assert!(claimed.jobs.iter().all(|job| job.executor.as_str() == "print"), "{claimed:?}");
        assert_eq!(claimed.held.first().and_then(|held| held.again_in), Some(Duration::from_secs(60)), "{claimed:?}");
    }
    t.wait(59).await;
    let late = t.join().await;
    assert_eq!(t.claim(late, "mail", 9).await, []);
    t.wait(1).await;
    let late = t.join().await;
    assert_eq!(t.claim(late, "mail", 9).await.len(), 4);
    // Nothing is stored any more that claims have to keep to.
    let id = t.enqueue(job("mail")).await;
    assert_eq!(ids(&t.claim(late, "mail", 9).await), [id]);
}
