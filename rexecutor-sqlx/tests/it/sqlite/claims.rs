//! Claiming: fences, order, and what a claim may cost.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    TimeDelta,
    backend::{Claim, Demand, Due, Enqueue, Failure, Inspect, Maintain, Outcome, Settle},
    job::{ErrorType, JobStatus},
};
use rexecutor_sqlx::SqliteBackend;
use sqlx::Connection;

use super::{File, all, claim, demand, end, enqueue_one, ids, job, join};

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_claims_on_two_connections_are_disjoint_and_complete() {
    let file = File::new();
    let backends = [Arc::new(file.open().await), Arc::new(file.open().await)];
    let jobs = backends[0].enqueue((0..400).map(|_| job("mail")).collect()).await.unwrap();
    let tasks = (0..8).map(|task| {
        let backend = Arc::clone(&backends[task % 2]);
        tokio::spawn(async move {
            let node = join(&backend).await;
            let mut claimed = Vec::new();
            loop {
                let more = claim(&backend, node, "mail", 7).await.jobs;
                if more.is_empty() {
                    return claimed;
                }
                claimed.extend(ids(&more));
            }
        })
    });
    let mut claimed = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        claimed.extend(task.await.unwrap());
    }
    claimed.sort_unstable();
    assert_eq!(claimed, jobs.iter().map(|job| job.id()).collect::<Vec<_>>());
}

#[tokio::test]
async fn trap_03_a_stale_run_is_refused_also_after_a_rerun_has_lowered_the_attempt() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let node = join(&backend).await;
    let id = enqueue_one(&backend, job("mail")).await.id();
    let first = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    backend.leave(node).await.unwrap();
    assert_eq!(backend.rescue(&[]).await.unwrap(), 1);
    backend.rerun(&"mail".into(), id).await.unwrap();
    let node = join(&backend).await;
    let second = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    assert_eq!((first.attempt, second.attempt), (1, 1));
    let stale = end(&first, Outcome::complete(false));
    assert_eq!(backend.settle([stale].into()).await.unwrap(), [(id, first.lease)]);
    assert_eq!(all(&backend).await[0].status, JobStatus::Executing);
    assert_eq!(second.errors.len(), 1, "a rerun keeps the errors, and the run sees them");
}

/// A number that came back would let the outcome of a deleted job hit another.
#[tokio::test]
async fn numbers_of_deleted_jobs_and_of_nodes_do_not_come_back() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let node = join(&backend).await;
    let first = enqueue_one(&backend, job("mail")).await.id();
    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    assert!(backend.settle([end(&run, Outcome::complete(false))].into()).await.unwrap().is_empty());
    assert!(all(&backend).await.is_empty());
    assert!(enqueue_one(&backend, job("mail")).await.id() > first);
    backend.leave(node).await.unwrap();
    assert!(join(&backend).await > node);
}

#[tokio::test]
async fn trap_05_a_claim_whose_caller_has_gone_is_given_back() {
    let file = File::new();
    let backend = file.open().await;
    let node = join(&backend).await;
    let id = enqueue_one(&backend, job("mail")).await.id();
    let mut other = file.connect().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let wanted = [demand("mail", 1)];
    let mut gone = backend.claim(node, wanted.clone().into());
    // The claim is on its way now, and waits for the lock.
    let polled = std::future::poll_fn(|context| std::task::Poll::Ready(gone.as_mut().poll(context))).await;
    assert!(polled.is_pending());
    drop(gone);
    lock.rollback().await.unwrap();
    // This one comes after it, as a heartbeat need not, which goes before others.
    assert!(claim(&backend, node, "report", 1).await.jobs.is_empty());
    let again = claim(&backend, node, "mail", 1).await.jobs;
    assert_eq!(ids(&again), [id]);
    assert_eq!((again[0].attempt, again[0].lease.0), (1, 2), "it was claimed, and the attempt did not count");
}

#[tokio::test]
async fn trap_34_a_claim_takes_no_more_than_asked_and_answers_in_order() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let node = join(&backend).await;
    let at =
        |seconds| Due::At(rexecutor_testing::TestClock::START - TimeDelta::days(9000) + TimeDelta::seconds(seconds));
    let jobs = [(1, 5), (0, 9), (1, 4), (0, 9), (0, 8), (2, 1)];
    let jobs = jobs.map(|(priority, seconds)| job("mail").with_priority(priority).with_due(at(seconds)));
    let enqueued = backend.enqueue(jobs.into()).await.unwrap();
    let order = |places: &[usize]| places.iter().map(|place| enqueued[*place].id()).collect::<Vec<_>>();
    let first = claim(&backend, node, "mail", 4).await;
    assert_eq!(ids(&first.jobs), order(&[4, 1, 3, 2]));
    let rest = claim(&backend, node, "mail", 4).await;
    assert_eq!(ids(&rest.jobs), order(&[0, 5]));
}

#[tokio::test]
async fn trap_07_outcomes_are_stored_again_safely_after_a_failure() {
    let file = File::new();
    let options = rexecutor_sqlx::SqliteOptions::new().busy_timeout(Duration::from_millis(20));
    let backend = options.open(file.path()).await.unwrap();
    let node = join(&backend).await;
    let jobs = (0..3).map(|_| job("mail")).collect();
    let _ = backend.enqueue(jobs).await.unwrap();
    let runs = claim(&backend, node, "mail", 3).await.jobs;
    let error = Failure::new(ErrorType::Panic, "no paper");
    let ends = [
        end(&runs[0], Outcome::complete(true)),
        end(&runs[1], Outcome::complete(false)),
        end(&runs[2], Outcome::retry(TimeDelta::zero(), error)),
    ];
    let mut other = file.connect().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    assert!(backend.settle(ends.clone().into()).await.unwrap_err().is_transient());
    lock.rollback().await.unwrap();
    assert!(all(&backend).await.iter().all(|job| job.status == JobStatus::Executing));
    assert!(backend.settle(ends.clone().into()).await.unwrap().is_empty());
    let stored: Vec<_> = all(&backend).await.iter().map(|job| (job.id, job.status, job.errors.len())).collect();
    assert_eq!(stored, [(runs[0].id, JobStatus::Complete, 0), (runs[2].id, JobStatus::Retryable, 1)]);
}

#[tokio::test]
async fn trap_08_a_job_that_was_asked_to_stop_ends_as_cancelled_though_it_succeeded() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let node = join(&backend).await;
    let _ = backend.enqueue(vec![job("mail"), job("mail")]).await.unwrap();
    let runs = claim(&backend, node, "mail", 2).await.jobs;
    for (run, keep) in runs.iter().zip([true, false]) {
        backend.cancel(&"mail".into(), run.id, "enough".to_owned()).await.unwrap();
        assert!(backend.rerun(&"mail".into(), run.id).await.is_err(), "it would run twice at once");
        assert!(backend.settle([end(run, Outcome::complete(keep))].into()).await.unwrap().is_empty());
    }
    assert!(all(&backend).await.iter().all(|job| job.status == JobStatus::Cancelled));
    assert_eq!(all(&backend).await.len(), 2);
}

#[tokio::test]
async fn two_executors_do_not_take_each_other_s_jobs() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let node = join(&backend).await;
    let _ = backend.enqueue(vec![job("mail"), job("resize"), job("other"), job("mail")]).await.unwrap();
    let wanted: [Demand; 2] = [demand("resize", 2), demand("mail", 1)];
    let claimed = backend.claim(node, wanted.clone().into()).await.unwrap();
    let names: Vec<_> = claimed.jobs.iter().map(|job| job.executor.to_string()).collect();
    assert_eq!(names, ["resize", "mail"]);
}

/// More executors than are looked at in one statement, each with two priorities and slots for one and a half of them.
#[tokio::test]
async fn many_executors_each_get_their_first_jobs() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let node = join(&backend).await;
    let names: Vec<String> = (0..70).map(|number| format!("executor_{number}")).collect();
    let new = |name: &String, priority| job("").with_executor(name.clone()).with_priority(priority);
    let jobs = [1, 0, 1, 0].into_iter().flat_map(|priority| names.iter().map(move |name| new(name, priority)));
    let _ = backend.enqueue(jobs.collect()).await.unwrap();
    let demands: Vec<Demand> = names.iter().map(|name| Demand::new(name.clone(), 3)).collect();
    let claimed = backend.claim(node, demands.clone().into()).await.unwrap();
    let got: Vec<_> = claimed.jobs.iter().map(|job| (job.executor.as_str(), job.priority)).collect();
    let expected: Vec<_> = names.iter().flat_map(|name| [0, 0, 1].map(|priority| (name.as_str(), priority))).collect();
    assert_eq!(got, expected);
    assert_eq!(claimed.next_due_in, None);
    let claimed = backend.claim(node, demands.clone().into()).await.unwrap();
    assert_eq!(claimed.jobs.len(), 70);
    assert!(claimed.jobs.iter().all(|job| job.priority == 1));
    assert_eq!(all(&backend).await.iter().filter(|job| job.node == Some(node)).count(), 280);
}

/// Claims of many that have more than is asked for, then of some that have not, then of a node that has left.
#[tokio::test]
async fn claims_go_on_in_long_lines_until_they_end() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let node = join(&backend).await;
    let names: Vec<String> = (0..40).map(|number| format!("executor_{number}")).collect();
    let jobs = (0..7).flat_map(|_| names.iter().map(|name| job("").with_executor(name.clone())));
    let all_ids: Vec<_> = backend.enqueue(jobs.collect()).await.unwrap().iter().map(|job| job.id()).collect();
    let demands: Vec<Demand> = names.iter().map(|name| Demand::new(name.clone(), 2)).collect();
    for round in 0..3 {
        let claimed = backend.claim(node, demands.clone().into()).await.unwrap();
        let places = |name: usize| [name + 80 * round, name + 80 * round + 40];
        let expected: Vec<_> = (0..40).flat_map(|name| places(name).map(|place| all_ids[place])).collect();
        assert_eq!(ids(&claimed.jobs), expected);
        assert!(claimed.jobs.iter().all(|job| job.node == Some(node) && (job.attempt, job.lease.0) == (1, 1)));
    }
    let first = Due::At(rexecutor_testing::TestClock::START - TimeDelta::days(9000));
    let urgent = job("").with_due(first).with_executor("executor_3");
    let urgent = enqueue_one(&backend, urgent).await.id();
    let stranger = join(&backend).await;
    backend.leave(stranger).await.unwrap();
    assert!(!backend.claim(stranger, demands.clone().into()).await.unwrap().member);
    let claimed = backend.claim(node, demands.clone().into()).await.unwrap();
    assert_eq!(claimed.jobs.len(), 41, "each of the lines has one left, and one of them two");
    assert_eq!(claimed.jobs[3].id, urgent);
    assert_eq!(claimed.next_due_in, None);
    assert!(backend.claim(node, demands.clone().into()).await.unwrap().jobs.is_empty());
}

/// A job of a higher priority that is not due yet is in nobody's way.
#[tokio::test]
async fn a_long_line_behind_a_future_job_is_claimed_on() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let node = join(&backend).await;
    let _ = backend.enqueue((0..6).map(|_| job("mail").with_priority(1)).collect()).await.unwrap();
    assert_eq!(claim(&backend, node, "mail", 2).await.jobs.len(), 2);
    let _ = enqueue_one(&backend, job("mail").with_due(Due::In(TimeDelta::days(1)))).await;
    assert_eq!(claim(&backend, node, "mail", 2).await.jobs.len(), 2);
    let urgent = enqueue_one(&backend, job("mail")).await.id();
    let claimed = claim(&backend, node, "mail", 2).await.jobs;
    assert_eq!((claimed.len(), claimed[0].id), (2, urgent));
}
