//! A server that stops in the middle of everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use rexecutor::{
    backend::{BackendError, Demand, Enqueue, Filter, Inspect, JobRow, Maintain, Node, Outcome, Settle, Settlement},
    job::{JobId, JobStatus},
};
use rexecutor_sqlx::{PgBackend, PgOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::watch;

use crate::{
    claim::claim_slowly,
    server::Server,
    support::{World, claim, demands, in_schema, job, jobs, join},
    wire::{Cut, Wire},
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
            tokio::task::yield_now().await;
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
    let node = Node::new("worker", Duration::from_secs(600));
    let node = insist!(backend.join(&node));
    let demands = [Demand::new("mail", 7)];
    loop {
        // Before the claim: what is enqueued afterwards is somebody else's, but nothing is.
        let is_over = *until.borrow();
        let claimed = insist!(rexecutor::backend::Claim::claim(&backend, node, demands.clone().into())).jobs;
        let settlements: Vec<Settlement> =
            claimed.iter().map(|job| Settlement::new(job.id, job.lease, Outcome::complete(true))).collect();
        let _ = insist!(backend.settle(settlements.clone().into()));
        for job in &claimed {
            *heard.lock().unwrap().settled.entry(job.id).or_default() += 1;
        }
        if !claimed.is_empty() {
            continue;
        }
        // What is its own now it never heard of. The engine gives it back, too.
        let lost = insist!(backend.heartbeat(node)).runs;
        let give_back = |(id, lease)| Settlement::new(id, lease, Outcome::GiveBack);
        let returned: Vec<Settlement> = lost.into_iter().map(give_back).collect();
        let _ = insist!(backend.settle(returned.clone().into()));
        if is_over && returned.is_empty() {
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

/// Waits until the server has no session of this name any more.
async fn sessions_are_gone(world: &World, name: &str) {
    let mut connection = PgConnection::connect(&world.url).await.unwrap();
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    while sqlx::query_scalar::<_, i64>(count).bind(name).fetch_one(&mut connection).await.unwrap() > 0 {}
}

/// What a lost claim was about is its node's: the node learns so, and gives it back.
#[tokio::test]
async fn a_claim_whose_commit_is_cut_is_either_nobodys_or_listed_as_the_nodes() {
    for cut in [Cut::Before, Cut::After] {
        in_schema(async |world| {
            let wire = Wire::to(&world.url).await;
            let url = format!("{}&application_name={}", wire.url(&world.url), world.schema);
            let cut_off = world.options().max_connections(1).connect(&url).await.unwrap();
            let _ = world.backend.enqueue(jobs("mail", 2)).await.unwrap();
            let [node, other] = [join(&world.backend).await, join(&world.backend).await];
            wire.cut_next_commit(cut);
            let error = rexecutor::backend::Claim::claim(&cut_off, node, demands("mail", 2).into()).await.unwrap_err();
            assert!(error.is_transient(), "{error:?}");
            // Until the server has noticed, the rows may be locked, or about to be.
            sessions_are_gone(world, &world.schema).await;
            let got = claim(&world.backend, other, "mail", 2).await.jobs;
            let listed = cut_off.heartbeat(node).await.unwrap().runs;
            let runs: Vec<_> = got.iter().map(|job| (job.id, job.lease)).collect();
            match cut {
                // The same lease was handed out again, and belongs to the other.
                Cut::Before => assert_eq!((runs.len(), listed.len()), (2, 0)),
                Cut::After => assert_eq!((runs.len(), listed.len()), (0, 2)),
            }
            let again = claim(&cut_off, node, "mail", 2).await.jobs;
            assert_eq!(again, [], "what the other runs is not taken from it");
            assert_eq!(cut_off.heartbeat(other).await.unwrap().runs, runs);
        })
        .await;
    }
}

/// What the first look of a claim has taken is committed: it is the node's, though the second look fails.
#[tokio::test]
async fn a_claim_whose_second_look_fails_gives_what_the_first_one_has_taken() {
    in_schema(async |world| {
        let wire = Wire::to(&world.url).await;
        let cut_off = world.options().max_connections(1).connect(&wire.url(&world.url)).await.unwrap();
        let node = join(&world.backend).await;
        let mut stored = 0;
        // Where more than a second goes by between the two claims, the second one looks once, from the start.
        while stored == 0 || !wire.is_cut() {
            wire.cut_no_commit();
            stored += world.backend.enqueue(jobs("mail", 300)).await.unwrap().len();
            assert_eq!(claim_slowly(world, &cut_off, node, 100).await.len(), 100);
            wire.cut_commit_after(1, Cut::Before);
            let claimed = claim(&cut_off, node, "mail", 1_000).await;
            assert_eq!(claimed.jobs.len(), 200);
            assert_eq!(claimed.next_due_in, wire.is_cut().then_some(Duration::ZERO));
        }
        assert_eq!(cut_off.heartbeat(node).await.unwrap().runs.len(), stored);
    })
    .await;
}

/// An outcome may be stored twice: the second time it is refused, or stored for the first time.
#[tokio::test]
async fn an_outcome_whose_commit_is_cut_is_stored_when_it_is_sent_again() {
    let [done, retried] = [Outcome::complete(true), Outcome::GiveBack];
    // Completions are stored in a statement of their own; what is decided on under locks takes a transaction.
    for (cut, first, refused) in
        [(Cut::Before, &done, 0), (Cut::After, &done, 1), (Cut::Before, &retried, 0), (Cut::After, &retried, 2)]
    {
        in_schema(async |world| {
            let wire = Wire::to(&world.url).await;
            let cut_off = world.options().connect(&wire.url(&world.url)).await.unwrap();
            let _ = world.backend.enqueue(jobs("mail", 2)).await.unwrap();
            let node = join(&cut_off).await;
            let claimed = claim(&cut_off, node, "mail", 2).await.jobs;
            let outcomes = claimed.iter().zip([first.clone(), retried.clone()]);
            let outcomes: Vec<_> = outcomes.map(|(job, outcome)| Settlement::new(job.id, job.lease, outcome)).collect();
            wire.cut_next_commit(cut);
            assert!(cut_off.settle(outcomes.clone().into()).await.unwrap_err().is_transient());
            assert_eq!(cut_off.settle(outcomes.clone().into()).await.unwrap().len(), refused);
            let statuses: Vec<_> = world.rows().await.iter().map(|row| row.status).collect();
            let status = if *first == done { JobStatus::Complete } else { JobStatus::Scheduled };
            assert_eq!(statuses, [status, JobStatus::Scheduled]);
        })
        .await;
    }
}

#[tokio::test]
async fn jobs_whose_commit_is_cut_are_all_there_or_none() {
    for (cut, stored) in [(Cut::Before, 0), (Cut::After, 1_500)] {
        in_schema(async |world| {
            let wire = Wire::to(&world.url).await;
            let cut_off = world.options().connect(&wire.url(&world.url)).await.unwrap();
            wire.cut_next_commit(cut);
            assert!(cut_off.enqueue(jobs("mail", 1_500)).await.unwrap_err().is_transient());
            assert_eq!(world.rows().await.len(), stored);
        })
        .await;
    }
}

/// A server that forgets an outcome with its unflushed commit: the node lives, and learns that the job is its own again.
#[tokio::test]
async fn an_outcome_that_was_not_flushed_before_a_crash_leaves_the_job_with_its_node() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    for setting in ["wal_writer_delay = '10s'", "bgwriter_delay = '10s'"] {
        sqlx::raw_sql(AssertSqlSafe(format!("ALTER SYSTEM SET {setting}"))).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql("CHECKPOINT; SELECT pg_reload_conf()").execute(&mut connection).await.unwrap();
    for is_async in [true, false] {
        let options = PgOptions::new().schema(format!("async_{is_async}")).async_settles(is_async);
        let backend = options.connect(&server.url()).await.unwrap();
        let _ = backend.enqueue(jobs("mail", 2)).await.unwrap();
        let node = join(&backend).await;
        let claimed = claim(&backend, node, "mail", 2).await.jobs;
        let done = |job: &JobRow| Settlement::new(job.id, job.lease, Outcome::complete(true));
        assert_eq!(backend.settle(claimed.iter().map(done).collect()).await.unwrap(), []);
        server.crash();
        server.resume();
        let listed = insist!(backend.heartbeat(node)).runs;
        let runs: Vec<_> = claimed.iter().map(|job| (job.id, job.lease)).collect();
        assert_eq!(listed, if is_async { runs } else { vec![] });
    }
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
