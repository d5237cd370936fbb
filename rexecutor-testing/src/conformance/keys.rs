//! Limits of how much of one key runs at once on all nodes, and keys that are served in rotation. A backend that has no
//! [control](rexecutor::backend::Control) is held to nothing here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use rexecutor::{
    backend::{
        Backend, Claimed, ClusterLimits, Demand, Due, Held, JobChange, JobRow, NewJob, Outcome, Rate, Settlement,
        Unique,
    },
    job::{
        JobStatus, NodeId,
        uniqueness_criteria::{Replace, Resolution, Statuses, UniqueKey},
    },
};

use super::harness::{COMPLETE, Harness, ids, job, retry, unique};

impl Harness {
    /// A claim by a node whose program declares that so many jobs of one key may run at once.
    async fn claim_keyed(&self, node: NodeId, demand: usize, per_key: usize) -> Claimed {
        claim_keyed(&*self.backend, node, demand, ClusterLimits::NONE.with_per_key(Some(per_key))).await
    }

    /// The keys of the jobs that such a claim gives, sorted; and whether others are kept back until a run has ended.
    async fn claim_keys(&self, node: NodeId, demand: usize, per_key: usize) -> (Vec<String>, bool) {
        let claimed = self.claim_keyed(node, demand, per_key).await;
        let mut keys: Vec<String> = claimed.jobs.iter().map(key).collect();
        keys.sort_unstable();
        (keys, claimed.held == [Held::new("mail".into(), None)])
    }

    fn knows_keys(&self) -> bool {
        self.backend.control().is_some()
    }

    async fn enqueue_keys(&self, keys: &[(&str, usize)]) {
        let jobs = keys.iter().flat_map(|(key, count)| std::iter::repeat_n(keyed(key), *count));
        self.enqueue_all(jobs.collect()).await;
    }
}

async fn claim_keyed(backend: &dyn Backend, node: NodeId, demand: usize, limits: ClusterLimits) -> Claimed {
    let demand = Demand::new("mail", demand).with_cluster_limits(limits);
    backend.claim(node, [demand].into()).await.expect("jobs can be claimed")
}

fn keyed(key: &str) -> NewJob {
    job("mail").with_group_key(key.to_owned())
}

fn key(row: &JobRow) -> String {
    row.extras.group_key.clone().unwrap_or_else(|| "-".to_owned())
}

fn later(seconds: i64) -> Due {
    Due::In(TimeDelta::seconds(seconds))
}

/// What runs of a key on all nodes together counts, and whatever ends a run of it makes room for another one of it.
pub async fn of_each_key_no_more_run_on_all_nodes_than_the_limit(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    t.enqueue_keys(&[("a", 9), ("b", 1), ("", 9)]).await;
    let [one, other] = [t.join().await, t.join().await];
    let mut running = t.claim_keyed(one, 2, 2).await.jobs;
    assert_eq!(running.len(), 2, "as many as the node asks for");
    running.extend(t.claim_keyed(other, 50, 2).await.jobs);
    let mut keys: Vec<String> = running.iter().map(key).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["", "", "a", "a", "b"]);
    assert_eq!(t.claim_keys(one, 50, 2).await, (vec![], true), "all of them are full");
    for outcome in [COMPLETE, retry(60), Outcome::snooze(TimeDelta::seconds(60)), Outcome::cancel("why")] {
        let place = running.iter().position(|row| key(row) == "a").expect("one of `a` runs");
        assert!(t.settle(&running.remove(place), outcome).await);
        let next = t.claim_keyed(other, 50, 2).await.jobs;
        assert_eq!(next.iter().map(key).collect::<Vec<_>>(), ["a"]);
        running.extend(next);
    }
    let place = running.iter().position(|row| key(row) == "b").expect("`b` runs");
    assert!(t.settle(&running.remove(place), COMPLETE).await);
    assert_eq!(t.claim_keys(other, 50, 2).await, (vec![], true), "no other job of `b` waits");
}

/// However many jobs of one key wait, a job of another key waits for one job of each key at most.
pub async fn keys_are_served_in_rotation(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    t.enqueue_keys(&[("b", 300), ("a", 3), ("c", 2), ("d", 1)]).await;
    let node = t.join().await;
    let mut served = Vec::new();
    for _ in 0..10 {
        let claimed = t.claim_keyed(node, 1, 5).await.jobs;
        assert!(t.settle(&claimed[0], COMPLETE).await);
        served.push(key(&claimed[0]));
    }
    assert_eq!(served.concat(), "abcdabcabb");
    t.enqueue_keys(&[("a", 1), ("z", 1)]).await;
    let (keys, _) = t.claim_keys(node, 3, 5).await;
    assert_eq!(keys, ["a", "b", "z"], "new ones are there in the next round");
    // What is free goes to whoever has jobs and room.
    assert_eq!(t.claim_keys(node, 9, 5).await.0, ["b"; 4]);
}

/// Within a key jobs start by priority, due time and number, and the answer is in that order, too.
pub async fn jobs_of_one_key_start_in_their_order(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    let node = t.join().await;
    let mut waiting = Vec::new();
    for priority in [2, 0, 1, 0] {
        waiting.push(t.enqueue(keyed("a").with_priority(priority)).await);
    }
    let other = t.enqueue(keyed("b").with_priority(1)).await;
    t.enqueue(keyed("a").with_due(later(60))).await;
    let claimed = t.claim_keyed(node, 4, 3).await;
    assert_eq!(ids(&claimed.jobs), [waiting[1], waiting[3], waiting[2], other]);
    assert_eq!(claimed.held, [], "as many as were asked for");
    t.backend.leave(node).await.expect("a node can leave");
    while t.backend.rescue(&[]).await.expect("rescue works") > 0 {}
    let node = t.join().await;
    let claimed = t.claim_keyed(node, 9, 9).await;
    assert_eq!(claimed.jobs.len(), 5);
    assert_eq!((claimed.held.len(), claimed.next_due_in.map(|wait| wait.as_secs())), (0, Some(60)));
}

/// The strictest limit that any member declares holds for all, and ends with the membership.
pub async fn the_strictest_declared_limit_per_key_holds_and_ends_with_its_node(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    t.enqueue_keys(&[("a", 20), ("b", 4)]).await;
    let (old, new) = (t.join().await, t.join().await);
    let before = t.claim(old, "mail", 5).await;
    assert_eq!(before.iter().map(key).collect::<String>(), "aaaaa", "nobody has declared anything");
    assert_eq!(t.claim_keys(new, 9, 1).await.0, ["b"], "more of `a` run than may");
    assert_eq!(t.claim(old, "mail", 5).await, []);
    for row in &before {
        assert!(t.settle(row, COMPLETE).await);
    }
    assert_eq!(t.claim(old, "mail", 5).await.iter().map(key).collect::<String>(), "a");
    let late = t.join().await;
    assert_eq!(t.claim_keys(late, 9, 3).await.0, [""; 0], "the strictest holds");
    t.backend.leave(new).await.expect("a node can leave");
    assert_eq!(t.claim_keys(late, 9, 3).await.0, ["a", "a", "b", "b"]);
    t.backend.leave(late).await.expect("a node can leave");
    assert_eq!(t.claim(old, "mail", 50).await.len(), 13, "no member declares a limit any more");
}

/// The runs of a node that died count until they are rescued.
pub async fn trap_14_the_runs_of_a_dead_node_count_for_their_keys(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    t.enqueue_keys(&[("a", 4), ("b", 4)]).await;
    let dying = t.join().await;
    assert_eq!(t.claim_keys(dying, 9, 1).await.0, ["a", "b"]);
    let alive = t.join().await;
    assert_eq!(t.claim_keys(alive, 9, 1).await, (vec![], true));
    assert_eq!(t.declare_dead(&[dying]).await, 2);
    assert_eq!(t.claim_keys(alive, 9, 1).await.0, ["a", "b"]);
    assert_eq!(t.claim_keys(alive, 9, 1).await, (vec![], true));
}

/// Sixteen tasks on four nodes claim and settle as fast as they can: at no instant more of a key run than may, and all are run.
pub async fn of_sixteen_claimers_never_more_of_a_key_run_than_the_limit(t: &Harness) {
    const JOBS: usize = 600;
    if !t.knows_keys() {
        return;
    }
    t.enqueue_all((0..JOBS).map(|nth| keyed(["a", "b", "c", "d"][(nth % 8).min(3)])).collect()).await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(t.join().await);
    }
    let (running, done) = (Arc::<Mutex<BTreeMap<String, usize>>>::default(), Arc::<Mutex<BTreeSet<_>>>::default());
    let tasks = (0..16).map(|task| {
        let (backend, node) = (t.backend.clone(), nodes[task % nodes.len()]);
        let (running, done) = (running.clone(), done.clone());
        tokio::spawn(async move {
            while done.lock().expect("nobody panics").len() < JOBS {
                let limits = ClusterLimits::NONE.with_per_key(Some(2));
                let claimed = claim_keyed(&*backend, node, 1 + task % 5, limits).await.jobs;
                for row in &claimed {
                    let mut running = running.lock().expect("nobody panics");
                    let of_key = running.entry(key(row)).or_default();
                    *of_key += 1;
                    assert!(*of_key <= 2, "{of_key} of `{}` run", key(row));
                }
                // The others have their turn meanwhile.
                tokio::task::yield_now().await;
                for row in &claimed {
                    *running.lock().expect("nobody panics").entry(key(row)).or_default() -= 1;
                    assert!(done.lock().expect("nobody panics").insert(row.id), "{} runs twice", row.id);
                }
                let ends = claimed.iter().map(|row| Settlement::new(row.id, row.lease, COMPLETE));
                assert_eq!(backend.settle(ends.collect()).await.expect("outcomes can be stored"), []);
            }
        })
    });
    for ended in futures::future::join_all(tasks).await {
        ended.expect("no task panics");
    }
}

/// Jobs that are due are found at once behind any number of keys whose jobs are not, and what was enqueued without a key is
/// found, too.
pub async fn due_jobs_are_found_among_keys_whose_jobs_are_not_due(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    let node = t.join().await;
    let future = |nth: usize| keyed(&format!("k{nth:04}")).with_due(later(60)).with_priority([0, 1, 2][nth % 3]);
    t.enqueue_all((0..2_500).map(future).collect()).await;
    let nothing = t.claim_keyed(node, 5, 1).await;
    assert_eq!((nothing.jobs.len(), nothing.held.len()), (0, 0));
    assert_eq!(nothing.next_due_in.map(|wait| wait.as_secs()), Some(60));
    t.enqueue_keys(&[("k1700", 2), ("z", 3)]).await;
    t.enqueue_all(vec![job("mail"), job("mail")]).await;
    let (keys, _) = t.claim_keys(node, 9, 1).await;
    assert_eq!(keys, ["-", "-", "k1700", "z"], "what has no key has no limit");
    // A walk is no longer than it may be, and the node comes back for the next one.
    let claimed = t.claim_keyed(node, 9, 1).await;
    assert!(claimed.jobs.is_empty() && claimed.held[0].again_in.is_some(), "{claimed:?}");
    t.wait(60).await;
    let mut count = 0;
    loop {
        let claimed = t.claim_keyed(node, 3_000, 1).await;
        count += claimed.jobs.len();
        if claimed.next_due_in.is_none_or(|wait| !wait.is_zero()) {
            break;
        }
    }
    assert_eq!(count, 2_499, "all but the one whose key is full");
}

/// A key that stands behind a thousand others whose jobs are not due, and behind the jobs of a full one, has its turn.
pub async fn a_key_behind_a_flood_and_a_thousand_idle_keys_has_its_turn(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    let node = t.join().await;
    t.enqueue_keys(&[("a", 200)]).await;
    t.enqueue_all((0..1_500).map(|nth| keyed(&format!("k{nth:04}")).with_due(later(60))).collect()).await;
    t.enqueue_keys(&[("z", 1)]).await;
    assert_eq!(t.claim_keys(node, 1, 1).await.0, ["a"]);
    for _ in 0..3 {
        match t.claim_keyed(node, 9, 1).await {
            claimed if claimed.jobs.is_empty() => assert!(claimed.held[0].again_in.is_some(), "{claimed:?}"),
            claimed => return assert_eq!(claimed.jobs.iter().map(key).collect::<String>(), "z"),
        }
    }
    panic!("`z` has no turn");
}

/// Limits of one executor hold beside each other.
pub async fn a_limit_per_key_holds_beside_the_others(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    let node = t.join().await;
    t.enqueue_keys(&[("a", 9), ("b", 9), ("c", 9)]).await;
    t.enqueue(job("print")).await;
    let limits = ClusterLimits::NONE.with_per_key(Some(2)).with_concurrency(Some(5));
    let limits = limits.with_rate(Some(Rate::new(1, std::time::Duration::from_secs(60)).with_burst(4)));
    let mail = Demand::new("mail", 50).with_cluster_limits(limits);
    let demands: Arc<[Demand]> = [mail, Demand::new("print", 2)].into();
    let claimed = t.backend.claim(node, demands.clone()).await.expect("jobs can be claimed");
    let keys = claimed.jobs.iter().map(key).collect::<String>();
    assert_eq!(keys, "aabc-", "four tokens, in turn, and then the other executor's");
    assert!(claimed.held[0].again_in.is_some(), "until there is a token: {claimed:?}");
    t.wait(300).await;
    let claimed = t.backend.claim(node, demands.clone()).await.expect("jobs can be claimed");
    assert_eq!(claimed.jobs.iter().map(key).collect::<String>(), "b", "the fifth of all");
    let control = t.backend.control().expect("it knows keys");
    let scope = rexecutor::backend::Scope::Executor("mail".into());
    control.pause(&scope, "why".into()).await.expect("it can be paused");
    for row in &t.all().await {
        let _ = t.settle(row, COMPLETE).await;
    }
    assert_eq!(t.backend.claim(node, demands).await.expect("jobs can be claimed").jobs, []);
}

/// A claim in rotation ends with the bytes that it asks for.
pub async fn case_32_a_claim_in_rotation_ends_with_its_bytes(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    let node = t.join().await;
    let large = format!("\"{}\"", "x".repeat(100_000));
    t.enqueue_all(["a", "b", "c", "d"].map(|key| keyed(key).with_data(large.clone())).into()).await;
    let limits = ClusterLimits::NONE.with_per_key(Some(1));
    let demand = Demand::new("mail", 9).with_cluster_limits(limits).with_max_bytes(150_000);
    let claimed = t.backend.claim(node, [demand].into()).await.expect("jobs can be claimed");
    assert_eq!(claimed.jobs.iter().map(key).collect::<String>(), "ab");
    assert_eq!(claimed.jobs[1].data, large);
    assert_eq!(t.claim_keys(node, 9, 1).await.0, ["c", "d"]);
}

/// A key changes with the data that it follows from, and the limit counts the new one.
pub async fn a_key_is_changed_with_the_data(t: &Harness) {
    if !t.knows_keys() {
        return;
    }
    let node = t.join().await;
    let moved = t.enqueue(keyed("a")).await;
    let mut change = JobChange::of(&t.row(moved).await);
    change.group_key = Some("b".to_owned());
    t.backend.update(&"mail".into(), moved, change).await.expect("a job that waits can be updated");
    let key_of_data = Unique::new(UniqueKey([7; 16]), Statuses::of(&[JobStatus::Scheduled]));
    let criteria = key_of_data.with_on_conflict(Resolution::Replace(Replace::data()));
    let replaced = t.enqueue(unique(keyed("a"), criteria.clone())).await;
    t.enqueue(unique(keyed("b").with_data("2"), criteria)).await;
    assert_eq!(t.row(replaced).await.extras.group_key.as_deref(), Some("b"));
    t.enqueue(keyed("a")).await;
    let (keys, is_held) = t.claim_keys(node, 9, 1).await;
    assert_eq!((keys.concat(), is_held), ("ab".to_owned(), true));
}
