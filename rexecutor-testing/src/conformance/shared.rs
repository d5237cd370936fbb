//! Limits that executors share. A backend that has no [control](rexecutor::backend::Control) is held to nothing here.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rexecutor::{
    backend::{Backend, Claimed, ClusterLimits, Demand, Held, JobRow, Limit, OnDiscard, Settlement},
    job::NodeId,
};

use super::harness::{COMPLETE, Harness, job, retry};

static API: Limit = Limit::new("api").cluster_concurrency(3);
static SLOW: Limit = Limit::new("slow").rate("1/1m").burst(1);
static DISK: Limit = Limit::new("disk").cluster_concurrency(1);

const API_ALONE: &[&Limit] = &[&API];
const SLOW_ALONE: &[&Limit] = &[&SLOW];
const API_AND_DISK: &[&Limit] = &[&API, &DISK];

const OF_API: ClusterLimits = ClusterLimits::NONE.with_shared(API_ALONE);

const EXECUTORS: [&str; 2] = ["mail", "print"];

async fn claim_shared(backend: &dyn Backend, node: NodeId, demand: usize, limits: ClusterLimits) -> Claimed {
    let demands = EXECUTORS.map(|name| Demand::new(name, demand).with_cluster_limits(limits));
    backend.claim(node, demands.into()).await.expect("jobs can be claimed")
}

fn names(jobs: &[JobRow]) -> Vec<&str> {
    jobs.iter().map(|job| job.executor.as_str()).collect()
}

fn held() -> [Held; 2] {
    EXECUTORS.map(|name| Held::new(name.into(), None))
}

impl Harness {
    fn shares(&self) -> bool {
        self.backend.control().is_some()
    }

    async fn enqueue_both(&self, count: usize) {
        self.enqueue_all(EXECUTORS.iter().flat_map(|name| (0..count).map(|_| job(name))).collect()).await;
    }

    async fn claim_api(&self, node: NodeId, demand: usize) -> Vec<JobRow> {
        claim_shared(&*self.backend, node, demand, OF_API).await.jobs
    }
}

/// What runs of all of them counts, they take turns, and a claim tells whose jobs are held back.
pub async fn case_14_5_executors_that_share_a_limit_take_turns(t: &Harness) {
    if !t.shares() {
        return;
    }
    t.enqueue_both(20).await;
    let [one, other] = [t.join().await, t.join().await];
    let mut first = claim_shared(&*t.backend, one, 5, OF_API).await;
    assert_eq!(names(&first.jobs), ["mail", "mail", "print"]);
    first.held.sort_by_key(|held| held.executor.clone());
    assert_eq!(first.held, held());
    let nothing = claim_shared(&*t.backend, other, 5, OF_API).await;
    assert_eq!((nothing.jobs.len(), nothing.held.len(), nothing.member), (0, 2, true));
    let mut running = first.jobs;
    let mut served = Vec::new();
    for outcome in [COMPLETE, retry(60), COMPLETE, COMPLETE] {
        assert!(t.settle(&running.remove(0), outcome).await);
        let next = t.claim_api(other, 5).await;
        served.extend(names(&next).into_iter().map(str::to_owned));
        running.extend(next);
    }
    assert_eq!(served, ["mail", "print", "mail", "print"]);
    for row in &running {
        assert!(t.settle(row, COMPLETE).await);
    }
    // What one has no use for goes to the other.
    let demands =
        [Demand::new("mail", 9).with_cluster_limits(OF_API), Demand::new("idle", 9).with_cluster_limits(OF_API)];
    let claimed = t.backend.claim(one, demands.into()).await.expect("jobs can be claimed").jobs;
    assert_eq!(names(&claimed), ["mail"; 3]);
}

/// Tokens of a rate are taken by whoever has its turn, also one at a time.
pub async fn case_14_5_tokens_of_a_shared_rate_are_taken_in_turn(t: &Harness) {
    if !t.shares() {
        return;
    }
    t.enqueue_both(9).await;
    let node = t.join().await;
    let limits = ClusterLimits::NONE.with_shared(SLOW_ALONE);
    let mut served = Vec::new();
    for _ in 0..4 {
        let claimed = claim_shared(&*t.backend, node, 5, limits).await;
        assert_eq!(claimed.held.len(), 2, "{claimed:?}");
        assert!(claimed.held.iter().all(|held| held.again_in.is_some_and(|wait| wait.as_secs() == 60)), "{claimed:?}");
        served.extend(names(&claimed.jobs).into_iter().map(str::to_owned));
        let nothing = claim_shared(&*t.backend, node, 5, limits).await;
        assert_eq!(nothing.jobs, [], "the token is taken");
        t.wait(60).await;
    }
    assert_eq!(served, ["mail", "print", "mail", "print"]);
}

/// What any member declares holds for those that declare nothing, and ends with the membership; a dead one's runs count.
pub async fn case_14_5_a_shared_limit_holds_for_nodes_that_declare_none(t: &Harness) {
    if !t.shares() {
        return;
    }
    t.enqueue_both(20).await;
    let (old, new) = (t.join().await, t.join().await);
    let before = t.claim(old, "mail", 2).await;
    assert_eq!(names(&t.claim_api(new, 9).await).len(), 1, "two of the three run already");
    assert_eq!(t.claim(old, "mail", 9).await, []);
    assert_eq!(t.claim(old, "print", 9).await, []);
    assert!(t.settle(&before[0], COMPLETE).await);
    assert_eq!(t.claim(old, "print", 9).await.len(), 1);
    let late = t.join().await;
    assert_eq!(t.declare_dead(&[old]).await, 2);
    assert_eq!(t.claim_api(late, 9).await.len(), 2, "they do not run any more");
    for node in [new, late] {
        t.backend.leave(node).await.expect("a node can leave");
    }
    let free = t.join().await;
    assert_eq!(t.claim(free, "mail", 5).await.len(), 5, "no member declares a limit any more");
}

/// Whoever shares two limits keeps to both, and to its own, and its keys take turns as ever.
pub async fn case_14_5_shared_limits_hold_beside_the_others(t: &Harness) {
    if !t.shares() {
        return;
    }
    let in_line = |key: &str| job("mail").with_group_key(key.to_owned()).with_order(OnDiscard::Skip);
    t.enqueue_all(vec![in_line("a"), in_line("a"), in_line("b"), in_line("b"), in_line("c")]).await;
    t.enqueue_all((0..9).map(|_| job("print")).collect()).await;
    let node = t.join().await;
    let mail = Demand::new("mail", 9).with_cluster_limits(OF_API.with_ordered(true).with_concurrency(Some(2)));
    let print = Demand::new("print", 9).with_cluster_limits(ClusterLimits::NONE.with_shared(API_AND_DISK));
    let demands: Arc<[Demand]> = [mail, print, Demand::new("plain", 1)].into();
    t.enqueue(job("plain")).await;
    let claim = async || t.backend.claim(node, demands.clone()).await.expect("jobs can be claimed").jobs;
    let first = claim().await;
    assert_eq!(names(&first), ["mail", "mail", "print", "plain"]);
    assert_eq!(first[0].extras.group_key.as_deref(), Some("a"));
    assert_eq!(first[1].extras.group_key.as_deref(), Some("b"));
    assert!(t.settle(&first[0], COMPLETE).await);
    assert_eq!(names(&claim().await), ["mail"], "the disk is taken");
    assert!(t.settle(&first[2], COMPLETE).await);
    assert_eq!(names(&claim().await), ["print"]);
}

/// Sixteen tasks on four nodes claim and settle as fast as they can: at no instant more run than may, and all are run.
pub async fn case_14_5_of_sixteen_claimers_never_more_run_than_the_shared_limit(t: &Harness) {
    const JOBS: usize = 200;
    if !t.shares() {
        return;
    }
    t.enqueue_both(JOBS / 2).await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(t.join().await);
    }
    let (running, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks = (0..16).map(|task| {
        let (backend, node) = (t.backend.clone(), nodes[task % nodes.len()]);
        let (running, done) = (running.clone(), done.clone());
        tokio::spawn(async move {
            while done.load(Ordering::SeqCst) < JOBS {
                let claimed = claim_shared(&*backend, node, 1 + task % 3, OF_API).await.jobs;
                let now = running.fetch_add(claimed.len(), Ordering::SeqCst) + claimed.len();
                assert!(now <= 3, "{now} run");
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
    assert_eq!(done.load(Ordering::SeqCst), JOBS);
}
