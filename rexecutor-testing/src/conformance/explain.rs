//! Why a job is not running. A backend that cannot be observed is held to nothing here.

use std::time::Duration;

use chrono::TimeDelta;
use rexecutor::{
    backend::{
        AboutNode, ClusterLimits, Deadline, Demand, Due, Failure, Limit, NewJob, Node, Outcome, Pause, Rate, Scope,
        observe::{Circumstances, Explanation, explain},
    },
    job::{ErrorType, JobId, NodeId},
};

use super::{
    harness::{COMPLETE, Harness, TIMEOUT, failure, job, retry},
    order::in_line,
    workflow::task,
};

impl Harness {
    /// Why; `None`: the backend cannot tell.
    async fn why(&self, id: JobId) -> Option<Explanation> {
        let job = self.observe().map(|_| self.row(id))?.await;
        Some(explain(&Circumstances::of(job, &*self.backend).await.expect("it can be looked at")))
    }

    /// Whether this is the reason, and whether these words stand in its sentence.
    pub(super) async fn is_why(&self, id: JobId, word: &str, says: &str) {
        let Some(why) = self.why(id).await else { return };
        let sentence = why.to_string();
        assert_eq!(why.reason.as_str(), word, "{sentence}");
        assert!(sentence.contains(says), "{sentence}");
        assert!(!why.evidence.is_empty() && why.id == id && why.now == self.now());
    }

    /// A node that says how many slots it has and which executors it runs.
    pub(super) async fn node(&self, slots: usize, of_mail: Option<usize>, executors: &[&'static str]) -> NodeId {
        let mut about = AboutNode::default();
        about.slots = Some(slots);
        about.executor_slots.extend(of_mail.map(|slots| ("mail".to_owned(), slots)));
        let node = Node::new("a node", TIMEOUT).with_about(about);
        let node = self.backend.join(&node).await.expect("a node can join");
        let executors: Vec<_> = executors.iter().map(|name| (*name).into()).collect();
        if let Some(survey) = self.backend.survey() {
            survey.unserved(node, &executors).await.expect("executors can be told");
        }
        node
    }

    async fn claim_within(&self, node: NodeId, limits: ClusterLimits) -> usize {
        let demand = Demand::new("mail", 9).with_cluster_limits(limits);
        self.backend.claim(node, [demand].into()).await.expect("jobs can be claimed").jobs.len()
    }
}

/// A job that is not due says when it is.
pub async fn case_a_job_that_is_not_due_waits_for_its_time(t: &Harness) {
    let id = t.enqueue(job("mail").with_due(Due::In(TimeDelta::seconds(3_720)))).await;
    t.is_why(id, "not_due", "It is due in 1 h 2 min.").await;
}

/// So does one that has failed before.
pub async fn case_a_failed_job_waits_for_its_next_attempt(t: &Harness) {
    let run = t.running(job("mail")).await;
    assert!(t.settle(&run, retry(50)).await);
    t.is_why(run.id, "not_due", "Attempt 1 failed; the next one is due in 50 s.").await;
}

/// An executor, or the whole cluster, is paused.
pub async fn case_a_pause_says_by_whom_since_when_and_why(t: &Harness) {
    let Some(control) = t.backend.control() else { return };
    t.node(5, None, &["mail"]).await;
    let id = t.enqueue(job("mail")).await;
    let pause = Pause::new("SMTP is down").by("ann").until(t.now() + TimeDelta::seconds(90));
    control.pause(&Scope::Executor("mail".into()), pause).await.expect("it can be paused");
    t.wait(5).await;
    t.is_why(id, "executor_is_paused", "Its executor is paused by ann, for 5 s, until ").await;
    t.is_why(id, "executor_is_paused", ", in 1 min 25 s: SMTP is down").await;
    control.pause(&Scope::Cluster, Pause::new("")).await.expect("it can be paused");
    t.is_why(id, "cluster_is_paused", "The whole cluster is paused, for 0 ms.").await;
    // What is not due would not run without a pause either.
    let later = t.enqueue(job("mail").with_due(Due::In(TimeDelta::seconds(9)))).await;
    t.is_why(later, "not_due", "in 9 s").await;
}

/// No node is alive, or none of those that are runs the executor.
pub async fn case_no_living_node_runs_the_executor(t: &Harness) {
    let id = t.enqueue(job("mail")).await;
    t.is_why(id, "no_node", "No node is alive.").await;
    if t.backend.survey().is_none() {
        return;
    }
    let other = t.node(5, None, &["print"]).await;
    t.is_why(id, "no_node", "One node is alive, and it does not run this executor.").await;
    let node = t.node(5, None, &["mail"]).await;
    t.is_why(id, "ready", "").await;
    // It dies, and is not noticed yet.
    t.wait(9).await;
    t.backend.heartbeat(other).await.expect("heartbeats work");
    t.wait(2).await;
    t.is_why(id, "no_node", "One node is alive").await;
    if let Some(why) = t.why(id).await {
        let silent = why.evidence.iter().find(|(what, _)| *what == "silent nodes that ran it");
        assert_eq!(silent.map(|(_, fact)| fact.clone()), Some(format!("{node} (a node)")));
    }
}

/// Nodes that run the executor have no slot left, for any job or for one of this executor.
pub async fn case_all_slots_are_taken(t: &Harness) {
    let node = t.node(2, None, &["mail", "print"]).await;
    let second = t.node(9, Some(1), &["mail"]).await;
    t.enqueue_all(vec![job("mail"), job("mail"), job("print")]).await;
    assert_eq!(t.claim(node, "mail", 1).await.len() + t.claim(node, "print", 1).await.len(), 2);
    let id = t.enqueue(job("mail")).await;
    t.is_why(id, "ready", "").await;
    assert_eq!(t.claim(second, "mail", 1).await.len(), 1);
    t.is_why(id, "slots_are_taken", "All 3 slots of the nodes that run this executor are taken.").await;
    t.backend.leave(node).await.expect("a node can leave");
    t.is_why(id, "slots_are_taken", "Every node that runs this executor runs as many of its jobs as it may, 1 in all.")
        .await;
}

/// The limit of the cluster is reached.
pub async fn case_as_many_run_in_the_cluster_as_may(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let node = t.node(50, None, &["mail"]).await;
    let jobs = t.enqueue_all(vec![job("mail"); 3]).await;
    assert_eq!(t.claim_within(node, ClusterLimits::NONE.with_concurrency(Some(2))).await, 2);
    let says = "2 jobs of this executor run on all nodes together, and no more than 2 may.";
    t.is_why(jobs[2].id(), "cluster_limit", says).await;
}

/// The limit of its key is reached; those of other keys are not kept.
pub async fn case_as_many_of_the_key_run_as_may(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let node = t.node(50, None, &["mail"]).await;
    let keyed = |key: &str| job("mail").with_group_key(key.to_owned());
    let jobs = t.enqueue_all(vec![keyed("anna"), keyed("anna")]).await;
    assert_eq!(t.claim_within(node, ClusterLimits::NONE.with_per_key(Some(1))).await, 1);
    let other = t.enqueue(keyed("bob")).await;
    t.is_why(jobs[1].id(), "key_limit", "1 jobs with the key `anna` run, and no more than 1 may.").await;
    t.is_why(other, "ready", "").await;
}

/// The rate of its key is used up, or one of its jobs holds the key back; those of other keys are not kept.
pub async fn case_14_4_the_rate_of_its_key_is_used_up(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let node = t.node(50, None, &["mail"]).await;
    let keyed = |key: &str| job("mail").with_group_key(key.to_owned());
    let jobs = t.enqueue_all(vec![keyed("anna"), keyed("anna"), keyed("bob").with_weight(2), keyed("bob")]).await;
    let rate = Rate::new(1, Duration::from_secs(10)).with_burst(2);
    let limits = ClusterLimits::NONE.with_key_rate(Some(rate)).with_weighs(true);
    let demand = Demand::new("mail", 9).with_cluster_limits(limits);
    let runs = t.backend.claim(node, [demand].into()).await.expect("jobs can be claimed").jobs;
    assert_eq!(runs.len(), 3);
    let says = "The rate of the key `bob` is used up; there are enough tokens in 10 s.";
    t.is_why(jobs[3].id(), "key_rate", says).await;
    let heavy = t.enqueue(keyed("anna").with_weight(2)).await;
    t.is_why(heavy, "key_rate", "in 20 s.").await;
    let run = runs.iter().find(|run| run.id == jobs[0].id()).expect("it runs");
    assert!(t.settle(run, Outcome::throttle_key(TimeDelta::seconds(60))).await);
    t.is_why(heavy, "key_throttled", "A job with the key `anna` holds all of them back, until ").await;
    let other = t.enqueue(keyed("carl")).await;
    t.is_why(other, "ready", "").await;
}

/// It is the turn of another job of its key.
pub async fn case_14_3_a_job_behind_another_says_whose_turn_it_is(t: &Harness) {
    if !t.knows_lines() {
        return;
    }
    let node = t.node(50, None, &["mail"]).await;
    let jobs = t.enqueue_all(vec![in_line("anna"); 2]).await;
    let first = jobs[0].id();
    let says = format!("run one after another, and job {first}, which is scheduled, comes before it.");
    t.is_why(jobs[1].id(), "behind_another", &says).await;
    t.is_why(first, "ready", "").await;
    let run = t.claim_line(node, 1).await.remove(0);
    t.is_why(jobs[1].id(), "behind_another", &format!("and job {first} runs.")).await;
    assert!(t.settle(&run, retry(9)).await);
    t.is_why(jobs[1].id(), "behind_another", "which is retryable, comes before it.").await;
}

/// A limit that its executor shares with others is reached, or its rate used up.
pub async fn case_14_5_a_shared_limit_keeps_jobs_of_all_that_share_it(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    static DISK: Limit = Limit::new("disk").cluster_concurrency(1);
    static SLOW: Limit = Limit::new("slow").rate("1/1m").burst(1);
    const BY_DISK: &[&Limit] = &[&DISK];
    const BY_SLOW: &[&Limit] = &[&SLOW];
    let node = t.node(50, None, &["mail", "print"]).await;
    for (shared, word, says) in [
        (BY_DISK, "shared_limit", "1 jobs of the executors that share the limit `disk` run, and no more than 1 may."),
        (
            BY_SLOW,
            "shared_rate",
            "The rate of the limit `slow`, which this executor shares, is used up; the next token comes",
        ),
    ] {
        let jobs = t.enqueue_all(vec![job("mail"), job("print")]).await;
        let limits = ClusterLimits::NONE.with_shared(shared);
        let demands = ["mail", "print"].map(|name| Demand::new(name, 9).with_cluster_limits(limits));
        let other = t.join().await;
        let claimed = t.backend.claim(other, demands.into()).await.expect("jobs can be claimed").jobs;
        let kept = jobs.iter().map(|job| job.id()).find(|id| claimed.iter().all(|run| run.id != *id));
        t.is_why(kept.expect("one of them is kept"), word, says).await;
        for run in &claimed {
            assert!(t.settle(run, COMPLETE).await);
        }
        t.backend.leave(other).await.expect("a node can leave");
    }
    t.backend.heartbeat(node).await.expect("heartbeats work");
}

/// All nodes that run its executor are paused, and no other is alive.
pub async fn case_14_6_nodes_that_are_paused_say_by_whom_and_why(t: &Harness) {
    let Some(control) = t.backend.control() else { return };
    let node = t.node(5, None, &["mail"]).await;
    let id = t.enqueue(job("mail")).await;
    let scope = Scope::Node("a node".to_owned());
    control.pause(&scope, Pause::new("its disk is full").by("ann")).await.expect("it can be paused");
    t.wait(5).await;
    let says =
        format!("Node {node}, the only one that runs this executor, is paused by ann, for 5 s: its disk is full");
    t.is_why(id, "nodes_are_paused", &says).await;
    control.resume(&scope).await.expect("it can be resumed");
    t.is_why(id, "ready", "").await;
}

/// The rate has no token left.
pub async fn case_a_rate_says_when_the_next_token_comes(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let node = t.node(50, None, &["mail"]).await;
    let jobs = t.enqueue_all(vec![job("mail"); 3]).await;
    let rate = Rate::new(2, Duration::from_secs(60));
    assert_eq!(t.claim_within(node, ClusterLimits::NONE.with_rate(Some(rate))).await, 2);
    t.wait(9).await;
    t.is_why(jobs[2].id(), "rate", "This executor's rate is used up; the next token comes in 21 s.").await;
    t.backend.heartbeat(node).await.expect("heartbeats work");
    t.wait(9).await;
    t.backend.heartbeat(node).await.expect("heartbeats work");
    t.wait(9).await;
    t.backend.heartbeat(node).await.expect("heartbeats work");
    t.wait(3).await;
    t.is_why(jobs[2].id(), "ready", "").await;
}

/// A throttled job holds all others back.
pub async fn case_a_job_holds_its_executor_back(t: &Harness) {
    if t.backend.control().is_none() {
        return;
    }
    let node = t.node(50, None, &["mail"]).await;
    let jobs = t.enqueue_all(vec![job("mail"); 2]).await;
    let run = t.claim(node, "mail", 1).await.remove(0);
    assert!(t.settle(&run, Outcome::throttle(TimeDelta::seconds(8))).await);
    t.wait(2).await;
    t.is_why(jobs[1].id(), "throttled", "A job of this executor holds all of them back, until ").await;
}

/// It belongs to a node that is not heard, or that is no member any more.
pub async fn case_a_node_that_is_silent_has_claimed_it(t: &Harness) {
    let run = t.running(job("mail")).await;
    let node = run.node.expect("it runs");
    t.wait(11).await;
    t.is_why(run.id, "node_is_silent", "was last heard 11 s ago").await;
    t.backend.leave(node).await.expect("a node can leave");
    t.is_why(run.id, "node_is_silent", "has left the cluster").await;
}

/// It was enqueued blocked.
pub async fn case_a_blocked_job_waits_to_be_released(t: &Harness) {
    let id = t.enqueue(job("mail").with_blocked(true)).await;
    t.is_why(id, "blocked", "It was enqueued blocked, and waits to be released.").await;
}

/// It is a task whose predecessors have not all ended.
pub async fn case_a_task_waits_for_those_before_it(t: &Harness) {
    let flow = t.workflow(vec![task("a", &[]), task("b", &[]), task("c", &["a", "b"])]).await;
    let (b, c) = (flow.jobs["b"], flow.jobs["c"]);
    let run = flow.take(&["a", "b"]).await.remove("a").expect("it runs");
    t.end(&[run], &COMPLETE).await;
    t.is_why(c, "after_tasks", &format!("It is a task of workflow {}, and comes after `b` (job {b}).", flow.id)).await;
}

/// It has come to a step that is over when a signal comes.
pub async fn case_a_job_waits_for_a_signal(t: &Harness) {
    let (for_ever, for_a_minute) = (t.waiting_for_signal(None).await, t.waiting_for_signal(Some(60)).await);
    t.is_why(for_ever, "waits_for_signal", "A step of it waits for a signal.").await;
    t.is_why(for_a_minute, "waits_for_signal", "A step of it waits for a signal, and goes on without one in 1 min.")
        .await;
}

/// Its deadline is over, and nobody has discarded it yet.
pub async fn case_a_job_is_about_to_miss_its_deadline(t: &Harness) {
    let id = t.enqueue(job("mail").with_deadline(Deadline::In(TimeDelta::seconds(5)))).await;
    t.wait(6).await;
    t.is_why(id, "deadline_passed", "Its deadline passed 1 s ago").await;
}

/// No node could read it.
pub async fn case_unreadable_data_wait_for_another_version(t: &Harness) {
    let run = t.running(job("mail")).await;
    let error = Failure::new(ErrorType::Decode, "missing field `to`");
    assert!(t.settle(&run, Outcome::defer(TimeDelta::seconds(60), error)).await);
    t.is_why(run.id, "unreadable", "No node could read its data; it waits for a version").await;
}

/// It is over, one way or another.
pub async fn case_a_finished_job_says_how_it_ended(t: &Harness) {
    let last = NewJob::new("mail", "1").with_max_attempts(1);
    let ends = [
        (job("mail"), COMPLETE, "It was completed at "),
        (job("mail"), Outcome::cancel("no use"), ": no use"),
        (last, retry(1), "its attempts are used up, and the last one ended with `oops`: "),
        (job("mail"), Outcome::discard(failure("bad")), ", with `oops`: bad"),
    ];
    for (new, outcome, says) in ends {
        let run = t.running(new).await;
        assert!(t.settle(&run, outcome).await);
        t.is_why(run.id, "finished", says).await;
    }
}

/// It does run.
pub async fn case_a_running_job_says_where(t: &Harness) {
    let run = t.running(job("mail")).await;
    t.wait(3).await;
    t.is_why(run.id, "running", ", for 3 s.").await;
    t.backend.cancel(&"mail".into(), run.id, "stop".to_owned()).await.expect("it can be cancelled");
    t.is_why(run.id, "running", "was asked to stop").await;
}

/// There is a free slot, and nothing else in its way.
pub async fn case_nothing_keeps_a_due_job(t: &Harness) {
    t.node(1, None, &["mail"]).await;
    let id = t.enqueue(job("mail")).await;
    t.is_why(id, "ready", "Nothing keeps it: a node claims it as soon as its turn comes.").await;
}
