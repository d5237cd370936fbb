//! Jobs that are stored in the step that completes another.

use std::sync::Arc;

use rexecutor::{
    backend::{Filter, NewJob, Outcome, Settlement, Wakeup},
    job::{ExecutorName, JobStatus},
};

use super::harness::{COMPLETE, Harness, failure, job, retry};

fn ship(number: usize) -> NewJob {
    job("ship").with_data(number.to_string())
}

/// They are stored once, if the job becomes complete by that outcome, and not at all else; and nodes are woken for them.
pub async fn case_15_4_jobs_follow_only_a_success_and_once(t: &Harness) {
    let follow = |keep, jobs: usize| Outcome::complete(keep).and_enqueue((0..jobs).map(ship).collect());
    let stored = async || t.query(Filter::Executor(ExecutorName::from("ship"))).await.len();
    let mut runs = Vec::new();
    for _ in 0..6 {
        runs.push(t.running(job("mail")).await);
    }
    // Told to stop: it ends cancelled, whatever it says.
    t.backend.cancel(&ExecutorName::from("mail"), runs[5].id, "no".to_owned()).await.expect("it can be cancelled");
    let wakeup = Arc::new(Wakeup::default());
    let _watch = t.backend.watch(wakeup.clone());
    let stale = rexecutor::job::Lease(runs[0].lease.0 + 1);
    let mut settlements = vec![Settlement::new(runs[0].id, stale, follow(true, 100))];
    let outcomes = [
        follow(true, 1),
        Outcome::complete_with("7").and_enqueue(vec![ship(1), ship(2)]),
        follow(false, 3),
        retry(0).and_enqueue(vec![ship(9)]),
        COMPLETE,
        follow(true, 200),
    ];
    settlements.extend(runs.iter().zip(outcomes).map(|(run, outcome)| Settlement::new(run.id, run.lease, outcome)));
    let settlements: Arc<[Settlement]> = settlements.into();
    let refused = t.backend.settle(settlements.clone()).await.expect("outcomes can be stored");
    assert_eq!(refused, [(runs[0].id, stale)]);
    assert_eq!(stored().await, 1 + 2 + 3);
    assert!(wakeup.listen().await.executors.contains("ship"));
    assert_eq!(t.row(runs[1].id).await.extras.output.as_deref(), Some("7"));
    assert_eq!(t.find(runs[2].id).await, None);
    assert_eq!(t.row(runs[5].id).await.status, JobStatus::Cancelled);
    // An answer that was lost: the same again is refused.
    let again = t.backend.settle(settlements.clone()).await.expect("outcomes can be stored");
    assert_eq!((again.len(), stored().await), (settlements.len(), 6));
}

/// Many follow one, as they were given.
pub async fn case_15_4_a_thousand_jobs_follow_one(t: &Harness) {
    let run = t.running(job("mail")).await;
    let jobs: Vec<NewJob> = (0..1_000).map(|number| ship(number).with_priority(u16::from(number % 2 == 0))).collect();
    assert!(t.settle(&run, COMPLETE.and_enqueue(jobs)).await);
    let claimed = t.claim(t.join().await, "ship", 2_000).await;
    assert_eq!(claimed.len(), 1_000);
    let first: Vec<&str> = claimed.iter().take(3).map(|job| &*job.data).collect();
    assert_eq!(first, ["1", "3", "5"], "by priority, and then in their order");
}

/// A run that was told to complete in a transaction, and has not, has failed its attempt.
pub async fn case_15_4_what_was_not_committed_has_failed(t: &Harness) {
    let uncommitted = || Outcome::settled_in_transaction(chrono::TimeDelta::zero(), failure("not committed"));
    let run = t.running(job("mail").with_max_attempts(2)).await;
    assert!(t.settle(&run, uncommitted()).await);
    assert_eq!(t.row(run.id).await.status, JobStatus::Retryable);
    let again = t.claim(t.join().await, "mail", 1).await.remove(0);
    assert!(t.settle(&again, uncommitted()).await);
    let row = t.row(run.id).await;
    assert_eq!((row.status, row.errors.len()), (JobStatus::Discarded, 2));
    let run = t.running(job("mail")).await;
    assert!(t.settle(&run, COMPLETE).await);
    assert!(!t.settle(&run, uncommitted()).await, "it was committed");
    assert_eq!(t.row(run.id).await.status, JobStatus::Complete);
}
