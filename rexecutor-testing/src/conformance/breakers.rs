//! Circuit breakers: executors that are paused because their attempts keep failing. A backend that has no
//! [control](rexecutor::backend::Control) is held to nothing here.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::FutureExt;
use rexecutor::{
    backend::{
        CircuitBreaker, Claimed, ClusterLimits, Demand, Failure, JobRow, Marks, Outcome, Pause, Scope, Settlement,
        Wakeup,
    },
    job::{ErrorType, JobStatus, NodeId},
};

use super::harness::{COMPLETE, Harness, ids, job, retry};

/// Three failures within a minute pause the executor for five minutes.
const BREAKER: CircuitBreaker = CircuitBreaker::new(3, Duration::from_secs(60), Duration::from_secs(300));

const PAUSE: i64 = 300;

impl Harness {
    /// Settles a run of an executor that has the breaker.
    async fn say(&self, run: &JobRow, outcome: Outcome) {
        self.say_all(&[run], &outcome).await;
    }

    async fn say_all(&self, runs: &[&JobRow], outcome: &Outcome) {
        let end =
            |run: &&JobRow| Settlement::new(run.id, run.lease, outcome.clone()).with_circuit_breaker(Some(BREAKER));
        let refused = self.backend.settle(runs.iter().map(end).collect()).await.expect("outcomes can be stored");
        assert_eq!(refused, []);
    }

    /// Enqueues so many jobs, and has as many attempts fail as open the breaker, whose jobs then wait for ten minutes.
    async fn break_it(&self, node: NodeId, jobs: usize) {
        self.enqueue_all(vec![job("mail").with_max_attempts(9); jobs]).await;
        let runs = self.claim(node, "mail", 3).await;
        self.say_all(&runs.iter().collect::<Vec<_>>(), &retry(600)).await;
    }

    /// What a node that has just joined is given of mail.
    async fn claim_late(&self, most: usize) -> Claimed {
        let node = self.join().await;
        self.claim_from(node, &[("mail", most)]).await
    }

    fn has_breakers(&self) -> bool {
        self.backend.control().is_some()
    }
}

/// So many failures within the time pause the executor on all nodes, and no other one; fewer, or over a longer time, do not.
pub async fn case_14_6_a_circuit_breaker_opens_after_failures_within_its_time(t: &Harness) {
    if !t.has_breakers() {
        return;
    }
    let (node, other) = (t.join().await, t.join().await);
    t.enqueue_all(vec![job("mail").with_max_attempts(9); 20]).await;
    t.enqueue(job("print")).await;
    let runs = t.claim(node, "mail", 8).await;
    for (run, seconds) in runs[..5].iter().zip([30, 30, 30, 30, 0]) {
        t.say(run, retry(6_000)).await;
        assert_eq!(t.claim(other, "mail", 1).await.len(), 1, "two within a minute are too few");
        t.wait(seconds).await;
    }
    t.say(&runs[5], retry(6_000)).await;
    for node in [node, other, t.join().await] {
        let claimed = t.claim_from(node, &[("mail", 9), ("print", 0)]).await;
        assert_eq!(claimed.jobs, []);
        let held = claimed.held.first().expect("due jobs are kept back");
        assert_eq!((held.executor.as_str(), held.again_in), ("mail", Some(Duration::from_secs(300))));
    }
    assert_eq!(t.claim(other, "print", 9).await.len(), 1, "others go on");
    // What runs already is left to end, and decides nothing.
    t.say(&runs[6], COMPLETE).await;
    t.wait(10).await;
    t.say(&runs[7], retry(6_000)).await;
    t.wait(PAUSE - 11).await;
    assert_eq!(t.claim_late(9).await.jobs, []);
    t.wait(1).await;
    assert_eq!(t.claim_late(9).await.jobs.len(), 1, "one is let through");
}

/// Failures of one batch count each by itself.
pub async fn case_14_6_failures_of_one_batch_open_a_circuit_breaker(t: &Harness) {
    if !t.has_breakers() {
        return;
    }
    let node = t.join().await;
    t.break_it(node, 9).await;
    assert_eq!(t.claim(node, "mail", 9).await, []);
}

/// What is no failure of the work, and failures of executors that declare no breaker, do not count.
pub async fn case_14_6_what_is_no_failure_does_not_open_a_circuit_breaker(t: &Harness) {
    if !t.has_breakers() {
        return;
    }
    let node = t.join().await;
    t.enqueue_all(vec![job("mail").with_max_attempts(9); 60]).await;
    let error = |kind| Failure::new(kind, "it says nothing about the work");
    let outcomes = [
        COMPLETE,
        Outcome::snooze(TimeDelta::hours(1)),
        Outcome::throttle_key(TimeDelta::zero()),
        Outcome::cancel("enough"),
        Outcome::GiveBack,
        Outcome::defer(TimeDelta::hours(1), error(ErrorType::Decode)),
        Outcome::discard(error(ErrorType::Decode)),
        Outcome::discard(error(ErrorType::DeadlinePassed)),
        Outcome::retry(TimeDelta::hours(1), error(ErrorType::NodeLost)),
    ];
    for outcome in outcomes {
        let runs = t.claim(node, "mail", 4).await;
        assert_eq!(runs.len(), 4, "before {outcome:?}");
        t.say_all(&runs.iter().collect::<Vec<_>>(), &outcome).await;
    }
    for run in t.claim(node, "mail", 4).await {
        assert!(t.settle(&run, retry(6_000)).await, "without a breaker");
    }
    let runs = t.claim(node, "mail", 4).await;
    for run in &runs {
        t.backend.cancel(&"mail".into(), run.id, "enough".to_owned()).await.expect("it can be cancelled");
    }
    t.say_all(&runs.iter().collect::<Vec<_>>(), &retry(0)).await;
    let runs = t.claim(node, "mail", 4).await;
    for (run, kind) in runs.iter().zip([ErrorType::Panic, ErrorType::Timeout]) {
        t.say(run, Outcome::discard(error(kind))).await;
    }
    assert_eq!(t.claim(node, "mail", 1).await.len(), 1, "these two count");
    t.say(&runs[2], Outcome::discard(error(ErrorType::Other("oops".to_owned())))).await;
    assert_eq!(t.claim(node, "mail", 1).await, [], "and this one");
}

/// After the pause one job is let through in the whole cluster, however many nodes ask; when it succeeds all others go on.
pub async fn case_14_6_one_job_is_let_through_and_closes_the_circuit_breaker(t: &Harness) {
    if !t.has_breakers() {
        return;
    }
    let node = t.join().await;
    t.break_it(node, 20).await;
    t.wait(PAUSE).await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(t.join().await);
    }
    let tasks = (0..16).map(|task| {
        let (t, node) = (t.clone(), nodes[task % nodes.len()]);
        tokio::spawn(async move { t.claim_from(node, &[("mail", 5)]).await.jobs })
    });
    let claimed = futures::future::join_all(tasks).await;
    let claimed: Vec<JobRow> = claimed.into_iter().flat_map(|jobs| jobs.expect("no task panics")).collect();
    assert_eq!(claimed.len(), 1, "{:?}", ids(&claimed));
    let trial = t.row(claimed[0].id).await;
    assert!(trial.marks.contains(Marks::TRIAL) && trial.status == JobStatus::Executing);
    let waiting = t.claim_late(9).await;
    assert_eq!((waiting.jobs.len(), waiting.held.len()), (0, 1), "it runs");
    t.say(&claimed[0], COMPLETE).await;
    let row = t.row(claimed[0].id).await;
    assert_eq!((row.status, row.marks), (JobStatus::Complete, Marks::NONE));
    assert_eq!(t.claim(nodes[0], "mail", 3).await.len(), 3);
    let claimed = t.claim(nodes[1], "mail", 3).await;
    assert!(claimed.len() == 3 && claimed.iter().all(|row| row.marks == Marks::NONE));
    for run in &claimed[..2] {
        t.say(run, retry(6_000)).await;
    }
    assert_eq!(t.claim(node, "mail", 1).await.len(), 1, "it counts anew");
}

/// When the one that is let through fails, also on a node whose program has no breaker, the pause begins anew.
pub async fn case_14_6_a_failure_after_the_pause_keeps_a_circuit_breaker_open(t: &Harness) {
    if !t.has_breakers() {
        return;
    }
    let node = t.join().await;
    t.break_it(node, 20).await;
    for with_breaker in [true, false] {
        t.wait(PAUSE).await;
        let trial = t.claim_late(9).await.jobs;
        assert_eq!(trial.len(), 1);
        match with_breaker {
            true => t.say(&trial[0], retry(6_000)).await,
            false => assert!(t.settle(&trial[0], retry(6_000)).await),
        }
        assert_eq!(t.row(trial[0].id).await.marks, Marks::NONE);
        t.wait(PAUSE - 1).await;
        let late = t.claim_late(9).await;
        assert_eq!((late.jobs.len(), late.held.len()), (0, 1));
        t.wait(1).await;
        let trial = t.claim_late(9).await.jobs;
        assert_eq!(trial.len(), 1);
        t.say(&trial[0], retry(6_000)).await;
    }
}

/// One that is let through and whose node dies, or that says nothing by how it ends, is followed by another one.
pub async fn case_14_6_a_trial_that_says_nothing_is_followed_by_another(t: &Harness) {
    if !t.has_breakers() {
        return;
    }
    let node = t.join().await;
    t.break_it(node, 20).await;
    t.wait(PAUSE).await;
    let dying = t.join().await;
    assert_eq!(t.claim(dying, "mail", 9).await.len(), 1);
    assert_eq!(t.claim_late(9).await.jobs, []);
    assert_eq!(t.declare_dead(&[dying]).await, 1);
    for outcome in [Outcome::snooze(TimeDelta::hours(2)), Outcome::cancel("enough"), Outcome::GiveBack] {
        let trial = t.claim_late(9).await.jobs;
        assert_eq!(trial.len(), 1, "before {outcome:?}");
        assert_eq!(t.claim_late(9).await.jobs, []);
        t.say(&trial[0], outcome).await;
    }
    let trial = t.claim_late(9).await.jobs;
    t.backend.cancel(&"mail".into(), trial[0].id, "enough".to_owned()).await.expect("it can be cancelled");
    t.say(&trial[0], COMPLETE).await;
    assert_eq!(t.row(trial[0].id).await.marks, Marks::NONE);
    assert_eq!(t.claim_late(9).await.jobs.len(), 1);
}

/// Resuming the executor closes its breaker, and what was let through decides nothing then.
pub async fn case_14_6_a_circuit_breaker_is_closed_by_hand(t: &Harness) {
    let Some(control) = t.backend.control() else { return };
    let (node, scope) = (t.join().await, Scope::Executor("mail".into()));
    t.break_it(node, 30).await;
    assert!(!control.resume(&Scope::Cluster).await.expect("it can be resumed"), "of another scope");
    assert!(control.resume(&scope).await.expect("it can be resumed"));
    assert!(!control.resume(&scope).await.expect("it can be resumed"));
    let runs = t.claim(node, "mail", 3).await;
    t.say_all(&runs.iter().collect::<Vec<_>>(), &retry(6_000)).await;
    t.wait(PAUSE).await;
    let trial = t.claim_late(9).await.jobs;
    assert!(control.resume(&scope).await.expect("it can be resumed"));
    t.say(&trial[0], retry(6_000)).await;
    assert_eq!(t.claim_late(2).await.jobs.len(), 2, "it is one failure of three");
    // A pause by hand holds beside it.
    let runs = t.claim_late(3).await.jobs;
    t.say_all(&runs.iter().collect::<Vec<_>>(), &retry(6_000)).await;
    control.pause(&scope, Pause::new("SMTP is down")).await.expect("it can be paused");
    t.wait(PAUSE).await;
    assert_eq!(t.claim_late(9).await.jobs, []);
    assert!(control.resume(&scope).await.expect("it can be resumed"));
    assert_eq!(t.claim_late(9).await.jobs.len(), 9);
}

/// It holds beside limits, and where keys are served in rotation.
pub async fn case_14_6_a_circuit_breaker_holds_beside_limits(t: &Harness) {
    if !t.has_breakers() {
        return;
    }
    let node = t.join().await;
    let keyed = |number: usize| {
        let key = ["ann", "bob", "cleo"][number % 3];
        job("mail").with_max_attempts(9).with_group_key(key.to_owned())
    };
    t.enqueue_all((0..20).map(keyed).collect()).await;
    let limits = ClusterLimits::NONE.with_per_key(Some(4)).with_concurrency(Some(10));
    let claim = async |node: NodeId| {
        let demand = Demand::new("mail", 9).with_cluster_limits(limits);
        t.backend.claim(node, [demand].into()).await.expect("jobs can be claimed").jobs
    };
    let runs = claim(node).await;
    assert_eq!(runs.len(), 9);
    t.say_all(&runs.iter().take(3).collect::<Vec<_>>(), &retry(6_000)).await;
    assert_eq!(claim(node).await, []);
    t.wait(PAUSE).await;
    let trial = claim(t.join().await).await;
    assert_eq!(trial.len(), 1);
    assert_eq!(claim(t.join().await).await, []);
    t.say(&trial[0], COMPLETE).await;
    assert_eq!(claim(t.join().await).await.len(), 4, "six of ten run");
}

/// A clock that is set back keeps no breaker open for longer.
pub async fn case_44_a_circuit_breaker_does_not_stay_open_for_a_clock_that_was_set_back(t: &Harness) {
    if !t.has_breakers() {
        return;
    }
    let node = t.join().await;
    t.break_it(node, 9).await;
    t.backend.heartbeat(node).await.expect("heartbeats work");
    t.clock.jump(TimeDelta::hours(-5)).await;
    t.backend.heartbeat(node).await.expect("heartbeats work");
    assert_eq!(t.claim_late(9).await.jobs, []);
    t.wait(PAUSE).await;
    assert_eq!(t.claim_late(9).await.jobs.len(), 1);
}

/// Those who wait are woken when it closes.
pub async fn case_14_6_listeners_are_woken_when_a_circuit_breaker_closes(t: &Harness) {
    if !t.has_breakers() {
        return;
    }
    let node = t.join().await;
    t.break_it(node, 9).await;
    t.wait(PAUSE).await;
    let trial = t.claim_late(9).await.jobs;
    let wakeup = Arc::new(Wakeup::default());
    let _watching = t.backend.watch(wakeup.clone());
    t.say(&trial[0], COMPLETE).await;
    let reasons = wakeup.listen().now_or_never().expect("it has fired");
    assert!(reasons.all || reasons.executors.contains("mail"), "{reasons:?}");
}

/// The circuit breaker of its executor is open.
pub async fn case_14_6_a_circuit_breaker_says_since_when_and_why(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let node = t.node(50, None, &["mail"]).await;
    let jobs = t.enqueue_all(vec![job("mail").with_max_attempts(9); 4]).await;
    let breaker = CircuitBreaker::new(1, Duration::from_secs(60), Duration::from_secs(8));
    let run = t.claim(node, "mail", 1).await.remove(0);
    let end = Settlement::new(run.id, run.lease, retry(600)).with_circuit_breaker(Some(breaker));
    assert_eq!(t.backend.settle([end].into()).await.expect("outcomes can be stored"), []);
    t.wait(2).await;
    let open = "Its executor is paused by its circuit breaker, for 2 s, until ";
    t.is_why(jobs[1].id(), "circuit_breaker", open).await;
    t.is_why(jobs[1].id(), "circuit_breaker", ": `oops`: it broke").await;
    t.wait(6).await;
    t.is_why(jobs[1].id(), "ready", "").await;
    let trial = t.claim(node, "mail", 9).await.remove(0);
    let tried = "for 8 s, and one job is let through to see whether attempts still fail: `oops`: it broke";
    t.is_why(jobs[3].id(), "circuit_breaker", tried).await;
    if let Some(observe) = t.observe() {
        let cluster = observe.cluster().await.expect("the cluster can be read");
        let held = cluster.executor(&"mail".into()).and_then(|standing| standing.controls.breaker.clone());
        let held = held.expect("it is shown");
        assert_eq!((held.is_tried, held.open.until), (true, t.now()));
    }
    assert!(t.settle(&trial, COMPLETE).await);
    t.is_why(jobs[3].id(), "ready", "").await;
}
