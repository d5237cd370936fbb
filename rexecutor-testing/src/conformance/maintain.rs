//! `Maintain`.

use std::time::Duration;

use chrono::TimeDelta;
use rexecutor::{
    backend::{Member, Node, Outcome},
    job::{ErrorType, JobStatus},
    pruner::{PruneRule, PruneScope, PruneSpec},
};

use super::harness::{COMPLETE, Harness, TIMEOUT, failure, ids, job, retry};

async fn rescue(t: &Harness) -> usize {
    t.backend.rescue(&[]).await.expect("rescue works")
}

/// Trap 1: a worker dies and its job stays executing for ever.
pub async fn trap_01_a_dead_nodes_jobs_are_rescued(t: &Harness) {
    let run = t.running(job("mail")).await;
    let node = run.node.expect("it runs");
    assert_eq!(rescue(t).await, 0, "nobody is dead");
    assert_eq!(t.declare_dead(&[node]).await, 1);
    assert_eq!(rescue(t).await, 0);
    let row = t.row(run.id).await;
    assert_eq!((row.status, row.scheduled_at, row.node), (JobStatus::Retryable, t.now(), None));
    assert_eq!(row.errors[0].error_type, ErrorType::NodeLost);
    assert!(!t.settle(&run, COMPLETE).await, "the dead node's outcome is refused");
    let heartbeat = t.backend.heartbeat(node).await.expect("heartbeats work");
    assert_eq!((heartbeat.member, heartbeat.others), (false, vec![]), "the node was declared dead");
}

/// Trap 2: a long job is rescued while it runs, and runs twice.
pub async fn trap_02_a_live_nodes_jobs_are_not_rescued_however_long_they_take(t: &Harness) {
    let run = t.running(job("mail")).await;
    let node = run.node.expect("it runs");
    for _ in 0..10 {
        let seen = t.member(node).await.expect("it is a member");
        assert!(t.backend.heartbeat(node).await.expect("heartbeats work").member);
        t.wait(1_000).await;
        assert_eq!(t.backend.rescue(&[seen]).await.expect("rescue works"), 0, "it was heard since");
    }
    assert!(t.settle(&run, COMPLETE).await);
}

/// A member says how long it may be silent, and each heartbeat counts: that is all by which it is judged.
pub async fn case_42_a_heartbeat_tells_how_often_the_others_were_heard(t: &Harness) {
    let [me, other, gone] = [t.join().await, t.join().await, t.join().await];
    t.backend.leave(gone).await.expect("a node can leave");
    for beats in 0..3 {
        let heartbeat = t.backend.heartbeat(me).await.expect("heartbeats work");
        assert_eq!(heartbeat.others, [Member::new(other, beats, TIMEOUT)]);
        t.backend.heartbeat(other).await.expect("heartbeats work");
    }
}

/// The server was away, or its clock was set: whatever it says of the time, nobody is dead whom nobody has judged.
pub async fn case_42_and_44_no_clock_makes_a_node_dead(t: &Harness) {
    let run = t.running(job("mail")).await;
    for _ in 0..3 {
        t.clock.advance(TimeDelta::days(365)).await;
        t.join().await;
        assert_eq!(rescue(t).await, 0);
    }
    assert!(t.backend.heartbeat(run.node.expect("it runs")).await.expect("heartbeats work").member);
    assert!(t.settle(&run, COMPLETE).await);
}

/// However many jobs a dead node had, each is rescued once.
pub async fn rescuing_many_jobs_takes_as_many_calls_as_it_needs(t: &Harness) {
    t.enqueue_all(vec![job("mail"); 1_200]).await;
    let node = t.join().await;
    assert_eq!(t.claim(node, "mail", 1_200).await.len(), 1_200);
    let mut rescued = vec![t.declare_dead(&[node]).await];
    while *rescued.last().expect("there is one") > 0 {
        rescued.push(rescue(t).await);
    }
    assert_eq!(rescued.iter().sum::<usize>(), 1_200);
    assert!(t.all().await.iter().all(|row| row.status == JobStatus::Retryable && row.errors.len() == 1));
}

/// Trap 4: rescue updates by id alone and flips a job that finished a moment ago.
pub async fn trap_04_rescue_leaves_jobs_that_have_ended(t: &Harness) {
    let mut rows = Vec::new();
    for outcome in [COMPLETE, retry(60), Outcome::discard(failure("no")), Outcome::GiveBack] {
        let run = t.running(job("mail")).await;
        assert!(t.settle(&run, outcome).await);
        rows.push(t.row(run.id).await);
    }
    t.wait(100).await;
    assert_eq!(rescue(t).await, 0);
    for row in rows {
        assert_eq!(t.row(row.id).await, row);
    }
}

/// Trap 12: a job that kills its process is rescued and kills the next process, for ever.
pub async fn trap_12_a_job_whose_nodes_die_ends_discarded(t: &Harness) {
    let id = t.enqueue(job("mail").with_max_attempts(3)).await;
    for _ in 0..3 {
        let node = t.join().await;
        assert_eq!(ids(&t.claim(node, "mail", 1).await), [id]);
        assert_eq!(t.declare_dead(&[node]).await, 1);
    }
    let row = t.row(id).await;
    assert_eq!((row.status, row.errors.len(), row.discarded_at), (JobStatus::Discarded, 3, Some(t.now())));
}

/// A node may be silent for as long as it says, also for ever.
pub async fn a_timeout_may_be_as_long_as_it_likes(t: &Harness) {
    let node = Node::new("eternal", Duration::MAX);
    let node = t.backend.join(&node).await.expect("a node can join");
    let member = t.member(node).await.expect("it is a member");
    assert!(member.timeout >= Duration::from_secs(1_000 * 365 * 86_400), "{:?}", member.timeout);
}

/// A node that left leaves its jobs to the others at once.
pub async fn a_node_that_left_leaves_its_jobs_to_the_others(t: &Harness) {
    let run = t.running(job("mail")).await;
    t.backend.leave(run.node.expect("it runs")).await.expect("a node can leave");
    assert_eq!(rescue(t).await, 1);
    let cancelled = t.running(job("other")).await;
    t.backend.cancel(&cancelled.executor, cancelled.id, "enough".to_owned()).await.expect("it can be cancelled");
    t.backend.leave(cancelled.node.expect("it runs")).await.expect("a node can leave");
    assert_eq!(rescue(t).await, 1);
    assert_eq!(t.row(cancelled.id).await.status, JobStatus::Cancelled);
}

/// A heartbeat tells what is stored as this very node's, and which of it is to be cancelled.
pub async fn a_heartbeat_tells_what_runs_and_what_is_to_be_cancelled(t: &Harness) {
    let [mine, other] = [t.running(job("mail")).await, t.running(job("mail")).await];
    let heartbeat = t.backend.heartbeat(mine.node.expect("it runs")).await.expect("heartbeats work");
    assert_eq!((heartbeat.runs, heartbeat.cancelled), (vec![(mine.id, mine.lease)], vec![]));
    for run in [&mine, &other] {
        t.backend.cancel(&run.executor, run.id, "enough".to_owned()).await.expect("it can be cancelled");
    }
    let heartbeat = t.backend.heartbeat(mine.node.expect("it runs")).await.expect("heartbeats work");
    assert_eq!((heartbeat.runs, heartbeat.cancelled), (vec![(mine.id, mine.lease)], vec![(mine.id, mine.lease)]));
    assert!(t.settle(&mine, COMPLETE).await);
    let heartbeat = t.backend.heartbeat(mine.node.expect("it ran")).await.expect("heartbeats work");
    assert_eq!((heartbeat.runs, heartbeat.cancelled), (vec![], vec![]));
    // What a node left running is to be rescued, and no longer its own.
    let left = other.node.expect("it runs");
    t.backend.leave(left).await.expect("nodes can leave");
    let heartbeat = t.backend.heartbeat(left).await.expect("heartbeats work");
    assert_eq!((heartbeat.member, heartbeat.runs, heartbeat.cancelled), (false, vec![], vec![]));
}

/// Trap 28: age counts from the due time; "keep 10" deletes the 10.
pub async fn trap_28_age_counts_from_the_end_and_length_keeps_the_newest(t: &Harness) {
    let mut done = Vec::new();
    let waited = t.enqueue(job("mail")).await;
    t.wait(1_000).await;
    let node = t.join().await;
    for _ in 0..5 {
        t.enqueue(job("mail")).await;
    }
    for run in t.claim(node, "mail", 10).await {
        t.wait(10).await;
        assert!(t.settle(&run, COMPLETE).await);
        done.push(run.id);
    }
    assert_eq!(done[0], waited);
    let spec = |rule| PruneSpec::new(JobStatus::Complete, rule, PruneScope::All);
    let prune = async |rule| t.backend.prune(&spec(rule), 100).await.expect("jobs can be pruned");
    assert_eq!(prune(PruneRule::MaxAge(TimeDelta::seconds(50))).await, 0, "it has just ended, however long it waited");
    t.wait(1).await;
    assert_eq!(prune(PruneRule::MaxAge(TimeDelta::seconds(50))).await, 1);
    assert_eq!(prune(PruneRule::MaxLength(3)).await, 2);
    assert_eq!(ids(&t.all().await), done[3..]);
    assert_eq!(prune(PruneRule::MaxLength(3)).await, 0);
}

/// Pruning deletes only finished jobs that match, oldest first, and at most the limit.
pub async fn pruning_deletes_only_what_matches_and_at_most_the_limit(t: &Harness) {
    let mut kept = Vec::new();
    for executor in ["a", "b", "c"] {
        let outcomes = [COMPLETE, COMPLETE, Outcome::cancel("no"), retry(10_000)];
        for outcome in outcomes {
            let run = t.running(job(executor)).await;
            t.wait(1).await;
            assert!(t.settle(&run, outcome).await);
            kept.push(run.id);
        }
    }
    t.wait(100).await;
    let rule = PruneRule::MaxAge(TimeDelta::zero());
    let prune = async |executors, limit| {
        let spec = PruneSpec::new(JobStatus::Complete, rule, executors);
        t.backend.prune(&spec, limit).await.expect("jobs can be pruned")
    };
    let names = |names: &[&'static str]| names.iter().map(|name| (*name).into()).collect();
    assert_eq!(prune(PruneScope::Only(names(&["a"])), 1).await, 1);
    kept.remove(0);
    assert_eq!(ids(&t.all().await), kept);
    assert_eq!(prune(PruneScope::Only(Vec::new()), 100).await, 0, "only nobody's");
    assert_eq!(prune(PruneScope::Except(names(&["a", "b"])), 100).await, 2);
    assert_eq!(prune(PruneScope::All, 100).await, 3);
    let left = t.all().await;
    assert_eq!(left.len(), 6);
    assert!(left.iter().all(|row| row.status != JobStatus::Complete));
    for status in JobStatus::ALL.iter().copied().filter(|status| !status.is_finished()) {
        let spec = PruneSpec::new(status, PruneRule::MaxLength(0), PruneScope::All);
        assert_eq!(t.backend.prune(&spec, 100).await.expect("it prunes nothing"), 0, "{status} jobs are never pruned");
    }
}
