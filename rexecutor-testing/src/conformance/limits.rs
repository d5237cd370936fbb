//! Limits of how much runs at once on all nodes. A backend that has no [control](rexecutor::backend::Control) is held to nothing
//! here.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rexecutor::{
    backend::{Backend, Claimed, ClusterLimits, Demand, Held, JobRow, Node, Outcome, Settlement, Wakeup},
    job::NodeId,
};

use super::harness::{COMPLETE, Harness, TIMEOUT, job, retry};

impl Harness {
    /// A claim by a node whose program declares that so many jobs may run at once.
    async fn claim_limited(&self, node: NodeId, demand: usize, concurrency: usize) -> Claimed {
        claim_limited(&*self.backend, node, demand, concurrency).await
    }

    fn keeps_to_limits(&self) -> bool {
        self.backend.control().is_some()
    }
}

/// Until a run has ended.
fn held() -> Held {
    Held::new("mail".into(), None)
}

async fn claim_limited(backend: &dyn Backend, node: NodeId, demand: usize, concurrency: usize) -> Claimed {
    let limits = ClusterLimits::NONE.with_concurrency(Some(concurrency));
    let demand = Demand::new("mail", demand).with_cluster_limits(limits);
    backend.claim(node, [demand].into()).await.expect("jobs can be claimed")
}

/// What runs on all nodes together counts; whatever ends a run makes room, and a claim tells what is held back.
pub async fn no_more_run_on_all_nodes_than_the_limit(t: &Harness) {
    if !t.keeps_to_limits() {
        return;
    }
    t.enqueue_all((0..20).map(|_| job("mail")).collect()).await;
    let [one, other] = [t.join().await, t.join().await];
    let mut running: Vec<JobRow> = t.claim_limited(one, 2, 3).await.jobs;
    assert_eq!(running.len(), 2, "as many as the node asks for");
    let rest = t.claim_limited(other, 5, 3).await;
    assert_eq!((rest.jobs.len(), rest.held), (1, vec![held()]));
    running.extend(rest.jobs);
    let nothing = t.claim_limited(one, 5, 3).await;
    assert_eq!((nothing.jobs.len(), nothing.held, nothing.member), (0, vec![held()], true));
    for outcome in [COMPLETE, retry(60), Outcome::snooze(rexecutor::TimeDelta::seconds(60)), Outcome::cancel("why")] {
        assert!(t.settle(&running.remove(0), outcome).await);
        let next = t.claim_limited(other, 5, 3).await.jobs;
        assert_eq!(next.len(), 1, "one has ended");
        running.extend(next);
    }
    // Nothing is held where nothing is due.
    for row in running {
        assert!(t.settle(&row, COMPLETE).await);
    }
    let rest = t.claim_limited(one, 50, 50).await;
    assert_eq!((rest.jobs.len(), rest.held), (3, vec![held()]), "the limit of the other node holds");
}

/// A claim that a limit leaves nothing to still tells when the next job is due, and holds back no other executor.
pub async fn a_full_executor_tells_when_its_next_job_is_due_and_leaves_the_others_alone(t: &Harness) {
    if !t.keeps_to_limits() {
        return;
    }
    let node = t.join().await;
    t.enqueue(job("mail")).await;
    t.enqueue(job("print")).await;
    let later = rexecutor::backend::Due::In(rexecutor::TimeDelta::seconds(60));
    t.enqueue(job("mail").with_due(later)).await;
    assert_eq!(t.claim_limited(node, 1, 1).await.jobs.len(), 1);
    let limits = ClusterLimits::NONE.with_concurrency(Some(1));
    let demands = [Demand::new("mail", 2).with_cluster_limits(limits), Demand::new("print", 2)];
    let claimed = t.backend.claim(node, demands.into()).await.expect("jobs can be claimed");
    assert_eq!(claimed.jobs.iter().map(|job| job.executor.as_str()).collect::<Vec<_>>(), ["print"]);
    assert_eq!((claimed.held.len(), claimed.next_due_in.map(|wait| wait.as_secs())), (0, Some(60)), "none is due");
}

/// The strictest limit that any member declares holds for all, those that declare none or joined before among them, and ends
/// with the membership.
pub async fn the_strictest_declared_limit_holds_and_ends_with_its_node(t: &Harness) {
    if !t.keeps_to_limits() {
        return;
    }
    t.enqueue_all((0..20).map(|_| job("mail")).collect()).await;
    let (old, new) = (t.join().await, t.join().await);
    let before = t.claim(old, "mail", 5).await;
    assert_eq!(before.len(), 5, "nobody has declared anything");
    assert_eq!(t.claim_limited(new, 5, 2).await.jobs.len(), 0, "more run than may");
    assert_eq!(t.claim(old, "mail", 5).await, []);
    for row in &before[..4] {
        assert!(t.settle(row, COMPLETE).await);
    }
    assert_eq!(t.claim(old, "mail", 5).await.len(), 1, "one of two runs");
    let late = t.join().await;
    assert_eq!(t.claim_limited(late, 5, 9).await.jobs.len(), 0, "the strictest holds");
    t.backend.leave(new).await.expect("a node can leave");
    assert_eq!(t.claim_limited(late, 50, 9).await.jobs.len(), 7);
    t.backend.leave(late).await.expect("a node can leave");
    assert_eq!(t.claim(old, "mail", 50).await.len(), 7, "no member declares a limit any more");
}

/// The runs of a node that died count until they are rescued: they may be running.
pub async fn trap_14_the_runs_of_a_dead_node_count_until_they_are_rescued(t: &Harness) {
    if !t.keeps_to_limits() {
        return;
    }
    t.enqueue_all((0..6).map(|_| job("mail")).collect()).await;
    let dying = t.join().await;
    assert_eq!(t.claim_limited(dying, 5, 2).await.jobs.len(), 2);
    let alive = t.join().await;
    assert_eq!(t.claim_limited(alive, 5, 2).await.jobs.len(), 0);
    assert_eq!(t.declare_dead(&[dying]).await, 2);
    assert_eq!(t.claim_limited(alive, 5, 2).await.jobs.len(), 2);
    // A stale node's outcome neither counts nor makes room.
    assert_eq!(t.claim_limited(alive, 5, 2).await.jobs.len(), 0);
}

/// Sixteen tasks on four nodes claim and settle as fast as they can: at no instant more run than may, and all are run.
pub async fn of_sixteen_claimers_never_more_run_than_the_limit(t: &Harness) {
    const JOBS: usize = 600;
    const LIMIT: usize = 7;
    if !t.keeps_to_limits() {
        return;
    }
    t.enqueue_all((0..JOBS).map(|_| job("mail")).collect()).await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        // The test's clock stands still: none of them is late.
        nodes.push(t.backend.join(&Node::new("a node", TIMEOUT)).await.expect("a node can join"));
    }
    let (running, most, done) =
        (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let tasks = (0..16).map(|task| {
        let (backend, node) = (t.backend.clone(), nodes[task % nodes.len()]);
        let (running, most, done) = (running.clone(), most.clone(), done.clone());
        tokio::spawn(async move {
            while done.load(Ordering::SeqCst) < JOBS {
                let claimed = claim_limited(&*backend, node, 1 + task % 5, LIMIT).await.jobs;
                most.fetch_max(running.fetch_add(claimed.len(), Ordering::SeqCst) + claimed.len(), Ordering::SeqCst);
                // The others have their turn meanwhile.
                tokio::task::yield_now().await;
                running.fetch_sub(claimed.len(), Ordering::SeqCst);
                done.fetch_add(claimed.len(), Ordering::SeqCst);
                let ends = claimed.iter().map(|row| Settlement::new(row.id, row.lease, COMPLETE));
                assert_eq!(backend.settle(ends.collect()).await.expect("outcomes can be stored"), []);
            }
        })
    });
    for ended in futures::future::join_all(tasks).await {
        ended.expect("no task panics");
    }
    let most = most.load(Ordering::SeqCst);
    assert!((1..=LIMIT).contains(&most), "{most} ran at once");
    assert_eq!(done.load(Ordering::SeqCst), JOBS);
}

/// A pause and a limit are apart: what is paused is not held.
pub async fn a_pause_holds_beside_a_limit(t: &Harness) {
    let Some(control) = t.backend.control() else { return };
    let node = t.join().await;
    t.enqueue_all((0..3).map(|_| job("mail")).collect()).await;
    assert_eq!(t.claim_limited(node, 1, 2).await.jobs.len(), 1);
    let scope = rexecutor::backend::Scope::Executor("mail".into());
    control.pause(&scope, "why".into()).await.expect("it can be paused");
    let claimed = t.claim_limited(node, 5, 2).await;
    assert_eq!((claimed.jobs.len(), claimed.held.len()), (0, 0));
    let wakeup = Arc::new(Wakeup::default());
    let _watching = t.backend.watch(wakeup.clone());
    control.resume(&scope).await.expect("it can be resumed");
    assert!(wakeup.listen().await.executors.contains("mail"));
    assert_eq!(t.claim_limited(node, 5, 2).await.jobs.len(), 1);
}
