//! Jobs that cost several tokens of a rate. A backend that has no
//! [control](rexecutor::backend::Control) is held to nothing here.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use rexecutor::{
    backend::{Backend, Claimed, ClusterLimits, Demand, JobChange, JobRow, Limit, LimitChange, NewJob, Rate},
    job::NodeId,
};

use super::harness::{Harness, job};

/// Ten a second, five of them at once.
const RATE: Rate = Rate::new(10, Duration::from_secs(1)).with_burst(5);

const WEIGHED: ClusterLimits = ClusterLimits::NONE.with_rate(Some(RATE)).with_weighs(true);

pub(super) fn heavy(weight: u32) -> NewJob {
    job("mail").with_weight(weight)
}

pub(super) async fn claim(backend: &dyn Backend, node: NodeId, demand: usize, limits: ClusterLimits) -> Claimed {
    let demand = Demand::new("mail", demand).with_cluster_limits(limits);
    backend.claim(node, [demand].into()).await.expect("jobs can be claimed")
}

pub(super) fn weights(claimed: &Claimed) -> Vec<u32> {
    claimed.jobs.iter().map(|job| job.extras.weight.unwrap_or(1)).collect()
}

/// After how many milliseconds a claim is worth while, of jobs that are kept back.
pub(super) fn again_in(claimed: &Claimed) -> Option<u128> {
    claimed.held.first().and_then(|held| held.again_in).map(|wait| wait.as_millis())
}

impl Harness {
    pub(super) async fn costs(&self, node: NodeId, limits: ClusterLimits) -> Claimed {
        claim(&*self.backend, node, 50, limits).await
    }

    pub(super) async fn pass(&self, millis: i64) {
        self.clock.advance(TimeDelta::milliseconds(millis)).await;
    }

    pub(super) fn knows_costs(&self) -> bool {
        self.backend.control().is_some()
    }
}

/// A job takes as many tokens as it weighs; one for which there are too few keeps all behind it waiting, so that it is not starved, and
/// the node is told when there are enough.
pub async fn case_14_4_a_job_takes_as_many_tokens_as_it_weighs(t: &Harness) {
    if !t.knows_costs() {
        return;
    }
    let node = t.join().await;
    t.enqueue_all(vec![heavy(3), heavy(1), heavy(4), heavy(1), heavy(1)]).await;
    let first = t.costs(node, WEIGHED).await;
    assert_eq!((weights(&first), again_in(&first)), (vec![3, 1], Some(300)), "one of four is there");
    t.pass(299).await;
    let early = t.costs(node, WEIGHED).await;
    assert_eq!((weights(&early), again_in(&early)), (vec![], Some(1)), "and the small ones do not pass");
    t.pass(1).await;
    let heavy_one = t.costs(node, WEIGHED).await;
    assert_eq!((weights(&heavy_one), again_in(&heavy_one)), (vec![4], Some(200)), "two are half of what it holds");
    t.pass(500).await;
    assert_eq!(weights(&t.costs(node, WEIGHED).await), [1, 1]);
    assert_eq!(t.costs(node, WEIGHED).await.held, [], "nothing is left");
}

/// One that weighs more than the burst, as since somebody has lowered it, costs all of it; and who declares nothing keeps to it as well.
pub async fn case_14_4_a_job_heavier_than_the_burst_costs_a_full_bucket(t: &Harness) {
    let Some(control) = t.backend.control() else { return };
    let (node, silent) = (t.join().await, t.join().await);
    t.enqueue_all(vec![heavy(9), heavy(1)]).await;
    assert_eq!(weights(&t.costs(node, WEIGHED).await), [9], "five are all that there can be");
    assert_eq!(t.claim(silent, "mail", 9).await, []);
    t.pass(100).await;
    assert_eq!(t.claim(silent, "mail", 9).await.len(), 1);
    t.enqueue_all(vec![heavy(5), heavy(1)]).await;
    let slower = LimitChange::new("the provider asked").rate_limit(Rate::new(10, Duration::from_secs(1)).with_burst(2));
    control.set_limits(&"mail".into(), Some(slower)).await.expect("limits can be set");
    assert_eq!(t.costs(node, WEIGHED).await.jobs, [], "the smaller bucket is empty from now on");
    t.pass(199).await;
    assert_eq!(t.costs(node, WEIGHED).await.jobs, []);
    t.pass(1).await;
    assert_eq!(weights(&t.costs(node, WEIGHED).await), [5]);
}

/// What a job weighs is stored with it, and changes with its data.
pub async fn case_14_4_the_weight_is_stored_and_changed_with_the_data(t: &Harness) {
    let weight_of = |row: &JobRow| row.extras.weight;
    let headers = [("a", r#""weight": 9"#)].into_iter().collect();
    let id = t.enqueue(heavy(4).with_headers(headers)).await;
    let plain = t.enqueue(job("mail")).await;
    assert_eq!((weight_of(&t.row(id).await), weight_of(&t.row(plain).await)), (Some(4), None));
    for weight in [Some(7), None, Some(2)] {
        for id in [id, plain] {
            let mut change = JobChange::of(&t.row(id).await);
            change.weight = weight;
            t.backend.update(&"mail".into(), id, change).await.expect("a job can be updated");
            assert_eq!(weight_of(&t.row(id).await), weight);
        }
    }
    assert_eq!(t.row(id).await.extras.headers.get("a"), Some(r#""weight": 9"#), "what else it has stays");
    if t.knows_costs() {
        let node = t.join().await;
        let claimed = t.costs(node, WEIGHED).await;
        assert_eq!(weights(&claimed), [2, 2]);
    }
}

/// Of executors that share a rate each job costs what it weighs, if its executor says so; they take turns, and one whose first job is
/// heavy has its turn as well.
pub async fn case_14_4_weights_count_for_a_shared_rate(t: &Harness) {
    static API: Limit = Limit::new("api").rate("10/s").burst(6);
    static SHARES: [&Limit; 1] = [&API];
    let shared = ClusterLimits::NONE.with_shared(&SHARES);
    if !t.knows_costs() {
        return;
    }
    let node = t.join().await;
    t.enqueue_all([vec![job("light"); 20], vec![job("heavy").with_weight(5); 3]].concat()).await;
    let demands: Arc<[Demand]> = [
        Demand::new("heavy", 9).with_cluster_limits(shared.with_weighs(true)),
        Demand::new("light", 9).with_cluster_limits(shared),
    ]
    .into();
    let mut taken = Vec::new();
    for _ in 0..14 {
        let claimed = t.backend.claim(node, demands.clone()).await.expect("jobs can be claimed");
        let of = |name: &str| claimed.jobs.iter().filter(|job| job.executor.as_str() == name).count();
        taken.push((of("heavy"), of("light")));
        assert!(claimed.held.iter().all(|held| held.again_in.is_some()), "{claimed:?}");
        t.pass(100).await;
    }
    let tokens: usize = taken.iter().map(|(heavy, light)| 5 * heavy + light).sum();
    assert_eq!(tokens, 6 + 13, "all tokens that came: {taken:?}");
    assert_eq!(taken.iter().map(|(heavy, _)| heavy).sum::<usize>(), 3, "{taken:?}");
    assert_eq!(taken[0], (1, 1), "{taken:?}");
}
