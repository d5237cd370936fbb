//! A server that stops in the middle of everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use rexecutor::{
    backend::{BackendError, Enqueue, Filter, Inspect, Maintain, Node, Outcome, Settle, Settlement, Slots},
    clock::{Clock, SystemClock},
    job::{JobId, JobStatus},
};
use rexecutor_sqlx::{PgBackend, PgOptions};
use tokio::sync::watch;

use crate::{
    server::Server,
    support::{in_schema, job, jobs},
};

/// What the two sides have heard of.
#[derive(Default)]
struct Heard {
    enqueued: BTreeSet<JobId>,
    settled: BTreeMap<JobId, usize>,
}

const EACH: usize = 150;

/// Asks until it is answered. An error must be one that passes.
macro_rules! insist {
    ($ask:expr) => {
        loop {
            let answer: Result<_, BackendError> = $ask.await;
            match answer {
                Ok(answer) => break answer,
                Err(error) => assert!(error.is_transient(), "{error:?}"),
            }
            SystemClock.sleep(Duration::from_millis(5)).await;
        }
    };
}

async fn produce(backend: PgBackend, heard: Arc<Mutex<Heard>>, progress: watch::Sender<usize>) {
    for _ in 0..EACH {
        let answers = insist!(backend.enqueue(vec![job("mail")]));
        heard.lock().unwrap().enqueued.insert(answers[0].id());
        progress.send_modify(|count| *count += 1);
    }
}

async fn work(backend: PgBackend, heard: Arc<Mutex<Heard>>, until: watch::Receiver<bool>) {
    let node = Node { label: "worker".to_owned(), timeout: Duration::from_secs(600) };
    let node = insist!(backend.join(&node));
    let slots = [Slots { executor: "mail".into(), free: 7 }];
    loop {
        // Before the claim: what is enqueued afterwards is somebody else's, but nothing is.
        let is_over = *until.borrow();
        let claimed = insist!(rexecutor::backend::Claim::claim(&backend, node, &slots)).jobs;
        let settlements: Vec<Settlement> = claimed
            .iter()
            .map(|job| Settlement { id: job.id, lease: job.lease, outcome: Outcome::Complete { keep: true } })
            .collect();
        let _ = insist!(backend.settle(&settlements));
        for job in &claimed {
            *heard.lock().unwrap().settled.entry(job.id).or_default() += 1;
        }
        if is_over && claimed.is_empty() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_loses_nothing_and_strands_nothing() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let backend = PgOptions::new().timeout(Duration::from_secs(5)).connect(&server.url()).await.unwrap();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let (progress, mut seen) = watch::channel(0);
    let (over, until) = watch::channel(false);
    let workers: Vec<_> = (0..3).map(|_| tokio::spawn(work(backend.clone(), heard.clone(), until.clone()))).collect();
    let producers: Vec<_> =
        (0..8).map(|_| tokio::spawn(produce(backend.clone(), heard.clone(), progress.clone()))).collect();
    for crash_at in [200, 500, 800] {
        seen.wait_for(|count| *count >= crash_at).await.unwrap();
        server.crash();
        server.resume();
    }
    for producer in producers {
        producer.await.unwrap();
    }
    over.send(true).unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    let rows = backend.query(&Filter::All(vec![]), usize::MAX).await.unwrap();
    let heard = heard.lock().unwrap();
    let stored: BTreeSet<JobId> = rows.iter().map(|row| row.id).collect();
    assert!(heard.enqueued.len() == 8 * EACH && heard.enqueued.is_subset(&stored));
    assert!(rows.iter().all(|row| row.status == JobStatus::Complete), "a job is stranded");
    assert!(heard.settled.values().all(|times| *times == 1), "a run was handed out twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_limit_of_time_is_an_error_that_passes_and_not_a_hang() {
    in_schema(async |world| {
        let _ = world.backend.enqueue(jobs("mail", 1)).await.unwrap();
        let backend = world.options().timeout(Duration::from_millis(300)).connect(&world.url).await.unwrap();
        let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
        let mut blocker = pool.begin().await.unwrap();
        let lock = format!("LOCK TABLE \"{}\".jobs", world.schema);
        sqlx::query(sqlx::AssertSqlSafe(lock)).execute(&mut *blocker).await.unwrap();
        let error = backend.enqueue(vec![job("mail")]).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        let error = backend.query(&Filter::All(vec![]), 1).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        blocker.rollback().await.unwrap();
        assert_eq!(world.rows().await.len(), 1);
    })
    .await;
}
