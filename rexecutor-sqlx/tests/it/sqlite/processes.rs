//! Real processes on one file, and what is left when one is killed.

use std::{collections::BTreeSet, path::Path, time::Duration};

use rexecutor::{
    backend::{Claim, Enqueue, Maintain, Node, Outcome, Settle},
    job::{ErrorType, JobStatus},
};
use rexecutor_sqlx::SqliteBackend;

use super::{File, all, claim, demand, end, enqueue_one, job, join};
use crate::process::{Process, role, say};

fn start(role: &str, path: &Path) -> Process {
    Process::start("sqlite::processes::child", role, path.to_str().unwrap())
}

/// The next number that the process says; `None` when it has ended.
fn number(process: &mut Process) -> Option<i64> {
    process.next()?.parse().ok()
}

/// Kills it with SIGKILL, and returns what it had said that nobody had read yet.
fn kill(process: Process) -> Vec<i64> {
    process.kill().iter().filter_map(|said| said.parse().ok()).collect()
}

/// No test of its own: what the processes of the others do.
#[tokio::test]
async fn child() {
    let Some((role, path)) = role() else { return };
    let backend = SqliteBackend::open(path).await.unwrap();
    match role.as_str() {
        "enqueue for ever" => loop {
            say(enqueue_one(&backend, job("mail")).await.id());
        },
        "claim and hang" => {
            let node = backend.join(&Node::new("", Duration::ZERO)).await.unwrap();
            for job in claim(&backend, node, "mail", 3).await.jobs {
                say(job.id);
            }
            say(-1);
            std::future::pending::<()>().await;
        }
        "enqueue and work" => {
            backend.enqueue((0..200).map(|_| job("mail")).collect()).await.unwrap();
            let node = join(&backend).await;
            // The other process may be slower to enqueue: whoever sees the last job ends.
            while all(&backend).await.iter().any(|job| !job.status.is_finished()) || all(&backend).await.len() < 400 {
                let runs = backend.claim(node, [demand("mail", 5)].into()).await.unwrap().jobs;
                let ends: Vec<_> = runs.iter().map(|run| end(run, Outcome::complete(true))).collect();
                assert!(backend.settle(ends.clone().into()).await.unwrap().is_empty());
                runs.iter().for_each(|run| say(run.id));
            }
        }
        _ => panic!("no role {role:?}"),
    }
}

#[tokio::test]
async fn what_was_enqueued_outlives_kill_9() {
    let file = File::new();
    let mut process = start("enqueue for ever", &file.path());
    let mut said: BTreeSet<i64> = (0..200).map(|_| number(&mut process).unwrap()).collect();
    // Two processes, each in the middle of something when it is killed.
    said.extend(kill(process));
    let mut process = start("enqueue for ever", &file.path());
    said.extend((0..50).map(|_| number(&mut process).unwrap()));
    said.extend(kill(process));
    let backend = file.open().await;
    let stored: BTreeSet<i64> = all(&backend).await.iter().map(|job| job.id.into()).collect();
    assert!(said.is_subset(&stored), "lost: {:?}", said.difference(&stored).collect::<Vec<_>>());
    assert!(stored.len() <= said.len() + 2, "at most the one in the middle of which each was killed is more");
    let _ = enqueue_one(&backend, job("mail")).await;
}

#[tokio::test]
async fn trap_01_the_jobs_of_a_killed_process_are_rescued_and_those_of_a_living_one_are_not() {
    let file = File::new();
    let backend = file.open().await;
    backend.enqueue((0..4).map(|_| job("mail")).collect()).await.unwrap();
    let living = join(&backend).await;
    let own = claim(&backend, living, "mail", 1).await.jobs.remove(0);
    let mut process = start("claim and hang", &file.path());
    let claimed: Vec<i64> = std::iter::from_fn(|| number(&mut process).filter(|number| *number >= 0)).collect();
    assert_eq!(claimed.len(), 3);
    kill(process);
    let seen = backend.heartbeat(living).await.unwrap().others;
    assert_eq!(backend.rescue(&seen).await.unwrap(), 3);
    for job in all(&backend).await {
        if job.id == own.id {
            assert_eq!(job.status, JobStatus::Executing);
        } else {
            assert_eq!((job.status, &job.errors[0].error_type), (JobStatus::Retryable, &ErrorType::NodeLost));
        }
    }
    assert_eq!(claim(&backend, living, "mail", 9).await.jobs.len(), 3);
}

#[tokio::test]
async fn two_processes_on_one_file_share_the_work_and_do_each_job_once() {
    let file = File::new();
    // Both open a file that does not exist yet.
    let [mut first, mut second] = ["enqueue and work"; 2].map(|role| start(role, &file.path()));
    let done: Vec<i64> =
        std::iter::from_fn(|| number(&mut first)).chain(std::iter::from_fn(|| number(&mut second))).collect();
    let mut once = done.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((done.len(), once.len()), (400, 400));
    let backend = file.open().await;
    assert!(all(&backend).await.iter().all(|job| job.status == JobStatus::Complete && job.lease.0 == 1));
}
