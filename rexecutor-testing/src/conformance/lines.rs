//! Many lines of jobs that run one after another, and other limits beside their order. A backend that has no
//! [control](rexecutor::backend::Control) is held to nothing here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use rexecutor::{
    backend::{Demand, Rate, Settlement},
    job::JobId,
};

use super::{
    harness::{COMPLETE, Harness, retry},
    order::{ORDERED, claim_in_order, in_line, key, later},
};

/// Lines are served in rotation, and one behind thousands that wait, and behind the jobs of one that halts, has its turn.
pub async fn case_14_3_a_line_behind_many_others_has_its_turn(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    t.enqueue_all(["a", "b", "c"].iter().flat_map(|key| (0..3).map(|_| in_line(key))).collect()).await;
    let mut served = String::new();
    for _ in 0..5 {
        let claimed = t.claim_line(node, 1).await.remove(0);
        assert!(t.settle(&claimed, COMPLETE).await);
        served.push_str(&key(&claimed));
    }
    assert_eq!(served, "abcab");
    let rest = t.claim_line(node, 9).await;
    assert_eq!(rest.len(), 3);
    let idle = |nth: usize| [in_line(&format!("k{nth:04}")).with_due(later(60)), in_line(&format!("k{nth:04}"))];
    t.enqueue_all((0..2_500).flat_map(idle).collect()).await;
    t.enqueue_all(vec![in_line("z"), in_line("z")]).await;
    for _ in 0..4 {
        match claim_in_order(&*t.backend, node, 9).await {
            claimed if claimed.jobs.is_empty() => assert!(claimed.held[0].again_in.is_some(), "{claimed:?}"),
            claimed => return assert_eq!(claimed.jobs.iter().map(key).collect::<String>(), "z"),
        }
    }
    panic!("`z` has no turn");
}

/// Limits of one executor hold beside its order.
pub async fn case_14_3_an_order_holds_beside_other_limits(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    t.enqueue_all(["a", "b", "c", "d"].iter().flat_map(|key| (0..3).map(|_| in_line(key))).collect()).await;
    let limits = ORDERED.with_concurrency(Some(3)).with_rate(Some(Rate::new(1, Duration::from_secs(60)).with_burst(4)));
    let claim = async || {
        let demand = Demand::new("mail", 50).with_cluster_limits(limits);
        t.backend.claim(node, [demand].into()).await.expect("jobs can be claimed").jobs
    };
    let first = claim().await;
    assert_eq!(first.iter().map(key).collect::<String>(), "abc", "three at once");
    for row in &first {
        assert!(t.settle(row, COMPLETE).await);
    }
    assert_eq!(claim().await.iter().map(key).collect::<String>(), "d", "the fourth token");
    t.wait(60).await;
    assert_eq!(claim().await.iter().map(key).collect::<String>(), "a");
}

/// A claim in order ends with the bytes that it asks for.
pub async fn case_32_a_claim_in_order_ends_with_its_bytes(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.join().await;
    let large = format!("\"{}\"", "x".repeat(100_000));
    t.enqueue_all(["a", "b", "c", "d"].map(|key| in_line(key).with_data(large.clone())).into()).await;
    let demand = Demand::new("mail", 9).with_cluster_limits(ORDERED).with_max_bytes(150_000);
    let claimed = t.backend.claim(node, [demand].into()).await.expect("jobs can be claimed");
    assert_eq!(claimed.jobs.iter().map(key).collect::<String>(), "ab");
    assert_eq!(t.claim_line(node, 9).await.iter().map(key).collect::<String>(), "cd");
}

/// Sixteen tasks on four nodes claim, fail and complete as fast as they can: a job begins only once all before it in its line
/// are done, and so never beside another.
pub async fn case_14_3_of_sixteen_claimers_none_breaks_a_line(t: &Harness) {
    const JOBS: usize = 400;
    if !t.knows_lines() {
        return;
    }
    let jobs = (0..JOBS).map(|nth| in_line(&format!("{}", nth % 7))).collect();
    let jobs: Vec<JobId> = t.enqueue_all(jobs).await.into_iter().map(|enqueued| enqueued.id()).collect();
    let lines: BTreeMap<JobId, Vec<JobId>> =
        (0..JOBS).map(|nth| (jobs[nth], (nth % 7..nth).step_by(7).map(|before| jobs[before]).collect())).collect();
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(t.join().await);
    }
    let (lines, done) = (Arc::new(lines), Arc::<Mutex<BTreeSet<JobId>>>::default());
    let tasks = (0..16).map(|task| {
        let (backend, node) = (t.backend.clone(), nodes[task % nodes.len()]);
        let (lines, done) = (lines.clone(), done.clone());
        tokio::spawn(async move {
            while done.lock().expect("nobody panics").len() < JOBS {
                let claimed = claim_in_order(&*backend, node, 1 + task % 5).await.jobs;
                for row in &claimed {
                    let done = done.lock().expect("nobody panics");
                    let waits_for = lines[&row.id].iter().find(|before| !done.contains(before));
                    assert_eq!(waits_for, None, "{} began before it was its turn", row.id);
                }
                // The others have their turn meanwhile.
                tokio::task::yield_now().await;
                let mut ends = Vec::new();
                for row in &claimed {
                    let is_last = row.attempt == 2 || row.id.as_i64() % 3 > 0;
                    if is_last {
                        assert!(done.lock().expect("nobody panics").insert(row.id), "{} runs twice", row.id);
                    }
                    ends.push(Settlement::new(row.id, row.lease, if is_last { COMPLETE } else { retry(0) }));
                }
                assert_eq!(backend.settle(ends.into()).await.expect("outcomes can be stored"), []);
            }
        })
    });
    for ended in futures::future::join_all(tasks).await {
        ended.expect("no task panics");
    }
}
