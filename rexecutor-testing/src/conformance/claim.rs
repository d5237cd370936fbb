//! `Claim`.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use rexecutor::{
    backend::{Due, NewJob, Wakeup},
    job::{JobStatus, NodeId},
    limits::MAX_PRIORITY,
};

use super::harness::{COMPLETE, Harness, ids, job, retry};

/// An executor's jobs come by priority, then due time, then number.
pub async fn jobs_are_claimed_by_priority_then_due_time_then_number(t: &Harness) {
    let at = |seconds| Due::At(t.now() - TimeDelta::seconds(seconds));
    let new = |priority, seconds| job("mail").with_priority(priority).with_due(at(seconds));
    let jobs = vec![new(1, 9), new(0, 1), new(0, 5), new(0, 5), new(65_535, 99), new(1, 10)];
    let n = ids_of(t, jobs).await;
    let node = t.join().await;
    let expected = [n[2], n[3], n[1], n[5], n[0], n[4]];
    assert_eq!(ids(&t.claim(node, "mail", 4).await), expected[..4]);
    assert_eq!(ids(&t.claim(node, "mail", 4).await), expected[4..]);
}

async fn ids_of(t: &Harness, jobs: Vec<NewJob>) -> Vec<rexecutor::JobId> {
    t.enqueue_all(jobs).await.into_iter().map(|answer| answer.id()).collect()
}

/// A job is not claimed before it is due, and is from that very instant on; so is a retry.
pub async fn a_job_is_not_claimed_before_it_is_due(t: &Harness) {
    t.enqueue(job("mail").with_due(Due::In(TimeDelta::seconds(60)))).await;
    let node = t.join().await;
    t.wait(59).await;
    assert_eq!(t.claim(node, "mail", 1).await, []);
    t.wait(1).await;
    let run = t.claim(node, "mail", 1).await.remove(0);
    assert!(t.settle(&run, retry(30)).await);
    t.wait(29).await;
    assert_eq!(t.claim(node, "mail", 1).await, []);
    t.wait(1).await;
    assert_eq!(t.claim(node, "mail", 1).await.len(), 1);
}

/// At most as many jobs of each executor as it has free slots.
pub async fn at_most_as_many_as_there_are_free_slots_for_each_executor(t: &Harness) {
    for executor in ["a", "b", "c"] {
        t.enqueue_all(vec![job(executor); 10]).await;
    }
    let node = t.join().await;
    let claimed = t.claim_from(node, &[("a", 3), ("b", 20), ("c", 1)]).await;
    let count = |executor| claimed.jobs.iter().filter(|job| job.executor.as_str() == executor).count();
    assert_eq!([count("a"), count("b"), count("c")], [3, 10, 1]);
}

/// Trap 11: in a rolling deploy the old version takes jobs whose names it does not know.
pub async fn trap_11_other_executors_jobs_are_left_alone(t: &Harness) {
    let unknown = t.enqueue(job("of_the_next_version")).await;
    let before = t.row(unknown).await;
    let node = t.join().await;
    assert_eq!(t.claim(node, "mail", 10).await, []);
    t.backend.rescue(&[]).await.expect("rescue works");
    assert_eq!(t.row(unknown).await, before);
}

/// Each claimed job is executing, its attempt and lease one higher, and belongs to the node.
pub async fn a_claim_raises_attempt_and_lease_and_gives_the_job_to_the_node(t: &Harness) {
    let id = t.enqueue(job("mail")).await;
    let node = t.join().await;
    let mut expected = t.row(id).await;
    rexecutor::backend::lifecycle::claim(&mut expected, node, t.now());
    let claimed = t.claim_from(node, &[("mail", 1)]).await;
    assert!(claimed.member);
    assert_eq!(claimed.jobs, [expected.clone()]);
    assert_eq!(t.row(id).await, expected);
    assert_eq!((expected.status, expected.attempt, expected.lease.0), (JobStatus::Executing, 1, 1));
}

/// A node that is no member, or no longer one, is given none.
pub async fn a_node_that_is_no_member_is_given_nothing(t: &Harness) {
    t.enqueue(job("mail")).await;
    let node = t.join().await;
    t.backend.leave(node).await.expect("a node can leave");
    for stranger in [node, NodeId(987_654_321)] {
        let claimed = t.claim_from(stranger, &[("mail", 1)]).await;
        assert!(!claimed.member && claimed.jobs.is_empty());
    }
    assert_eq!(t.all().await[0].status, JobStatus::Scheduled);
}

/// Trap 31: future jobs of higher priority stand in front of the due ones in the index.
pub async fn trap_31_due_jobs_behind_future_ones_of_higher_priority_are_found(t: &Harness) {
    let future = (0..5_000).map(|n| job("mail").with_priority(n % 5).with_due(Due::In(TimeDelta::days(1)))).collect();
    t.enqueue_all(future).await;
    let due = t.enqueue(job("mail").with_priority(9)).await;
    let node = t.join().await;
    let claimed = t.claim_from(node, &[("mail", 10)]).await;
    assert_eq!(ids(&claimed.jobs), [due]);
    assert_eq!(claimed.next_due_in, Some(Duration::from_secs(86_400)));
}

/// Claims of sixteen tasks over ten thousand jobs are disjoint and complete.
pub async fn sixteen_claimers_share_ten_thousand_jobs(t: &Harness) {
    t.enqueue_all((0..10_000).map(|n| job("mail").with_priority(n % 3)).collect()).await;
    let tasks = (0..16).map(|task| {
        let t = t.clone();
        tokio::spawn(async move {
            let node = t.join().await;
            let mut mine = Vec::new();
            loop {
                let claimed = t.claim(node, "mail", 37 + task).await;
                if claimed.is_empty() {
                    return mine;
                }
                for run in &claimed {
                    assert_eq!((run.attempt, run.lease.0, run.node), (1, 1, Some(node)));
                }
                let settlements: Vec<_> = claimed
                    .iter()
                    .map(|run| rexecutor::backend::Settlement::new(run.id, run.lease, COMPLETE))
                    .collect();
                assert_eq!(t.backend.settle(settlements.clone().into()).await.expect("outcomes can be stored"), []);
                mine.extend(ids(&claimed));
            }
        })
    });
    let mut all = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        all.extend(task.await.expect("no task panics"));
    }
    assert_eq!(all.len(), 10_000);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 10_000);
    assert!(t.all().await.iter().all(|job| job.status == JobStatus::Complete));
}

/// A claim tells how long it is until the next job of the asked executors is due.
pub async fn a_claim_tells_when_the_next_job_is_due(t: &Harness) {
    let in_seconds = |seconds| Due::In(TimeDelta::seconds(seconds));
    for (executor, priority, seconds) in [("mail", 0, 90), ("mail", 3, 40), ("other", 0, 5)] {
        t.enqueue(job(executor).with_priority(priority).with_due(in_seconds(seconds))).await;
    }
    let node = t.join().await;
    let next = |demands: &'static [(&'static str, usize)]| async move { t.claim_from(node, demands).await.next_due_in };
    assert_eq!(next(&[("mail", 1)]).await, Some(Duration::from_secs(40)));
    assert_eq!(next(&[("mail", 1), ("other", 1)]).await, Some(Duration::from_secs(5)));
    assert_eq!(next(&[("nobody", 1)]).await, None);
    let micros = Due::In(TimeDelta::microseconds(1));
    t.enqueue(job("third").with_due(micros)).await;
    assert_eq!(next(&[("third", 1)]).await, Some(Duration::from_micros(1)));
}

/// Every wakeup given to `watch` fires for what can be claimed: new jobs, ticks, retries, reruns.
pub async fn listeners_are_woken_when_a_job_can_be_claimed(t: &Harness) {
    let wakeup = Arc::new(Wakeup::default());
    let _watching = t.backend.watch(wakeup.clone());
    let node = t.join().await;
    let mut wakeups = 0;
    let mut heard = async |what: &str| {
        let woken = tokio::select! {
            woken = wakeup.listen() => woken,
            () = timeout() => panic!("no wakeup came for {what}"),
        };
        assert!(woken.all || woken.executors.contains("mail"), "{what}");
        wakeups += 1;
    };
    let id = t.enqueue(job("mail")).await;
    heard("a new job").await;
    let run = t.claim(node, "mail", 1).await.remove(0);
    assert!(t.settle(&run, retry(0)).await);
    heard("a retry").await;
    t.backend.cancel(&"mail".into(), id, "why".to_owned()).await.expect("it can be cancelled");
    wakeup.listen().await;
    t.backend.rerun(&"mail".into(), id).await.expect("it can be rerun");
    heard("a rerun").await;
    let key = rexecutor::backend::ScheduleKey("k".to_owned());
    assert!(t.backend.tick(&key, t.now().into(), vec![job("mail")]).await.expect("ticks can be enqueued"));
    heard("a tick").await;
    assert_eq!(wakeups, 4);
}

/// A limit for an event that must come: real time, for the wakeup may come from another thread.
async fn timeout() {
    use rexecutor::clock::{Clock, SystemClock};
    SystemClock.sleep(Duration::from_secs(30)).await;
}

/// Case 22: as many priorities as there are, and all jobs but one are for later.
pub async fn case_22_a_due_job_behind_future_ones_of_all_priorities_is_found(t: &Harness) {
    let later = |priority| job("mail").with_priority(priority).with_due(Due::In(TimeDelta::seconds(60)));
    t.enqueue_all((0..=MAX_PRIORITY).map(later).collect()).await;
    let due = t.enqueue(job("mail").with_priority(MAX_PRIORITY)).await;
    let node = t.join().await;
    assert_eq!(ids(&t.claim(node, "mail", 5).await), [due]);
}
