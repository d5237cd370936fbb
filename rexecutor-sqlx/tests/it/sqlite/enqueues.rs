//! Enqueuing: group commit, uniqueness under concurrency, and the application's own transactions.

use std::sync::Arc;

use rexecutor::{
    ExecutionResult, Executor, ExecutorExt, Job, TimeDelta,
    backend::{BackendError, Due, Enqueue, Enqueued, Filter, Inspect, Maintain, NewJob, Unique},
    clock::{Clock, SystemClock},
    job::{
        JobStatus,
        uniqueness_criteria::{Debounce, Replace, Resolution, Statuses, UniqueKey},
    },
};
use rexecutor_sqlx::{EnqueueIn, SqliteBackend};
use sqlx::Connection;

use super::{File, all, claim, enqueue_one, ids, job, join};

fn unique(key: u8, on_conflict: Resolution) -> NewJob {
    let unique = Unique::new(UniqueKey([key; 16]), Statuses::of(JobStatus::ALL)).with_on_conflict(on_conflict);
    job("mail").with_unique(unique)
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_callers_each_get_their_own_jobs() {
    let file = File::new();
    let backend = Arc::new(file.open().await);
    let tasks = (0..16_u16).map(|task| {
        let backend = Arc::clone(&backend);
        tokio::spawn(async move {
            let mut enqueued = Vec::new();
            for number in 0..20 {
                let priority = task * 100 + number;
                let jobs = vec![job("mail").with_priority(priority), job("mail").with_priority(priority + 10_000)];
                let answers = backend.enqueue(jobs).await.unwrap();
                enqueued.extend(answers.iter().map(|answer| answer.id()).zip([priority, priority + 10_000]));
            }
            enqueued
        })
    });
    let mut expected = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        expected.extend(task.await.unwrap());
    }
    expected.sort_unstable();
    let stored: Vec<_> = all(&backend).await.into_iter().map(|job| (job.id, job.priority)).collect();
    assert_eq!(stored, expected);
}

/// The jobs of callers that wait are stored together; what SQLite refuses of one must not fail the others.
#[tokio::test]
async fn one_caller_s_bad_job_does_not_fail_the_others() {
    let file = File::new();
    let backend = file.open().await;
    let mut other = file.connect().await;
    let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON rexecutor_jobs WHEN new.executor = 'bad'
        BEGIN SELECT raise(ABORT, 'not this one'); END";
    sqlx::raw_sql(trigger).execute(&mut other).await.unwrap();
    // While another process holds the lock, they gather.
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let [first, bad, second] = ["first", "bad", "second"].map(|name| backend.enqueue(vec![job(name)]));
    let unlock = async { lock.rollback().await.unwrap() };
    let (first, bad, second, ()) = tokio::join!(first, bad, second, unlock);
    assert!(!bad.unwrap_err().is_transient());
    assert_eq!([first.unwrap().len(), second.unwrap().len()], [1, 1]);
    let executors: Vec<_> = all(&backend).await.iter().map(|job| job.executor.to_string()).collect();
    assert_eq!(executors, ["first", "second"]);
}

/// The statements of a transaction go out together; where one fails, those before it must not stay.
#[tokio::test]
async fn a_transaction_that_fails_half_way_stores_nothing_and_does_not_stay_open() {
    let file = File::new();
    let backend = file.open().await;
    let mut other = file.connect().await;
    let trigger = "CREATE TRIGGER refuse AFTER INSERT ON rexecutor_jobs WHEN new.priority = 7
        BEGIN SELECT raise(FAIL, 'not this one'); END";
    sqlx::raw_sql(trigger).execute(&mut other).await.unwrap();
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let bad = || vec![job("mail"), job("mail").with_priority(7)];
    let calls = (0..16).map(|number| backend.enqueue(if number == 3 { bad() } else { vec![job("mail")] }));
    let (answers, unlock) = tokio::join!(futures::future::join_all(calls), lock.rollback());
    unlock.unwrap();
    assert!(answers.iter().enumerate().all(|(number, answer)| answer.is_err() == (number == 3)));
    assert!(backend.enqueue(bad()).await.is_err());
    assert_eq!(all(&backend).await.len(), 15);
    // Nobody holds the lock, and the connection begins its next transaction as if nothing had happened.
    other.begin_with("BEGIN IMMEDIATE").await.unwrap().rollback().await.unwrap();
    let _ = enqueue_one(&backend, job("mail")).await;
    let node = join(&backend).await;
    assert_eq!(claim(&backend, node, "mail", 100).await.jobs.len(), 16);
}

#[tokio::test]
async fn a_locked_file_is_a_transient_error_and_nothing_is_stored() {
    let file = File::new();
    let options = rexecutor_sqlx::SqliteOptions::new().busy_timeout(std::time::Duration::from_millis(20));
    let backend = options.open(file.path()).await.unwrap();
    let mut other = file.connect().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let (first, second) = tokio::join!(backend.enqueue(vec![job("mail")]), backend.enqueue(vec![job("mail")]));
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert!(error.is_transient());
        assert!(error.to_string().contains("locked by another process"), "{error}");
    }
    lock.rollback().await.unwrap();
    assert!(all(&backend).await.is_empty());
    let _ = enqueue_one(&backend, job("mail")).await;
}

/// Trap 42: a read transaction that becomes a write gets SQLITE_BUSY at once, whatever the timeout.
#[tokio::test]
async fn trap_42_a_write_waits_for_another_processes_write_that_came_in_between() {
    let file = File::new();
    let backend = file.open().await;
    let id = enqueue_one(&backend, unique(1, Resolution::Ignore)).await.id();
    let mut other = file.connect().await;
    for _ in 0..20 {
        // Each of these reads before it writes, while another connection writes.
        let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let found = enqueue_one(&backend, unique(1, Resolution::Ignore));
        let commit = async {
            let mut lock = lock;
            sqlx::query("UPDATE rexecutor_jobs SET priority = priority + 1").execute(&mut *lock).await.unwrap();
            lock.commit().await.unwrap();
        };
        let (found, ()) = tokio::join!(found, commit);
        assert_eq!(found.id(), id);
    }
    assert_eq!(all(&backend).await[0].priority, 20);
}

/// Each would wait for itself otherwise, one after the other.
#[tokio::test]
async fn callers_wait_for_a_locked_file_together() {
    let file = File::new();
    let timeout = std::time::Duration::from_millis(100);
    let backend = rexecutor_sqlx::SqliteOptions::new().busy_timeout(timeout).open(file.path()).await.unwrap();
    let node = join(&backend).await;
    let mut other = file.connect().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let before = SystemClock.now();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let backend = backend.clone();
        calls.spawn(async move { backend.heartbeat(node).await });
    }
    assert!(calls.join_all().await.iter().all(|answer| answer.as_ref().is_err_and(BackendError::is_transient)));
    assert!(SystemClock.now() - before < TimeDelta::milliseconds(50 * 100 / 4));
    lock.rollback().await.unwrap();
    assert!(backend.heartbeat(node).await.unwrap().member);
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_23_of_many_enqueuers_on_two_connections_one_inserts() {
    let file = File::new();
    let backends = [Arc::new(file.open().await), Arc::new(file.open().await)];
    let tasks = (0..32).map(|task| {
        let backend = Arc::clone(&backends[task % 2]);
        tokio::spawn(async move { enqueue_one(&backend, unique(1, Resolution::Ignore)).await })
    });
    let mut answers = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        answers.push(task.await.unwrap());
    }
    let inserted: Vec<_> = answers.iter().filter(|answer| !answer.is_duplicate()).collect();
    assert_eq!(inserted.len(), 1);
    assert!(answers.iter().all(|answer| answer.id() == inserted[0].id()));
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_25_batches_with_the_same_keys_in_different_orders_do_not_deadlock() {
    let file = File::new();
    let backends = [Arc::new(file.open().await), Arc::new(file.open().await)];
    let tasks = (0..16).map(|task| {
        let backend = Arc::clone(&backends[task % 2]);
        tokio::spawn(async move {
            let mut keys: Vec<u8> = (0..20).collect();
            keys.rotate_left(task);
            let jobs = keys.into_iter().map(|key| unique(key, Resolution::Replace(Replace::priority())));
            backend.enqueue(jobs.collect()).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(all(&backends[0]).await.len(), 20);
}

/// Case 18.8: callers in transactions of their own, beside callers without, leave one job of the last that has committed.
#[tokio::test(flavor = "multi_thread")]
async fn case_18_8_of_many_transactions_one_job_is_left() {
    let file = File::new();
    let backend = Arc::new(file.open().await);
    let debounce = Debounce::new(TimeDelta::seconds(5), TimeDelta::seconds(50));
    let call = move |caller: u32| {
        let job = unique(1, Resolution::Debounce(debounce)).with_due(Due::In(debounce.within));
        vec![job.with_data(caller.to_string())]
    };
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..64_u32 {
        let backend = Arc::clone(&backend);
        let own = if caller % 8 == 0 { Some(file.connect().await) } else { None };
        tasks.spawn(async move {
            let Some(mut own) = own else { return backend.enqueue(call(caller)).await.unwrap().remove(0) };
            let mut transaction = own.begin_with("BEGIN IMMEDIATE").await.unwrap();
            let answer = backend.enqueue_in(&mut transaction, call(caller)).await.unwrap().remove(0);
            transaction.commit().await.unwrap();
            answer
        });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| !answer.is_duplicate()).count(), 1);
    let _ = backend.enqueue(call(99)).await.unwrap();
    let rows = all(&backend).await;
    assert_eq!((rows.len(), rows[0].data.as_str()), (1, "99"));
}

#[tokio::test]
async fn trap_26_a_conflict_says_that_nothing_was_inserted() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let first = enqueue_one(&backend, unique(1, Resolution::Ignore)).await;
    let second = enqueue_one(&backend, unique(1, Resolution::Ignore)).await;
    let third = enqueue_one(&backend, unique(1, Resolution::Replace(Replace::priority()))).await;
    assert_eq!(
        [first, second, third],
        [Enqueued::Inserted(first.id()), Enqueued::Existing(first.id()), Enqueued::Replaced(first.id())]
    );
}

#[tokio::test]
async fn trap_40_times_keep_their_microseconds_numbers_their_64_bits_and_text_its_nul() {
    let file = File::new();
    let backend = file.open().await;
    let mut other = file.connect().await;
    sqlx::raw_sql("INSERT INTO sqlite_sequence VALUES ('rexecutor_jobs', 5000000000)")
        .execute(&mut other)
        .await
        .unwrap();
    let at = rexecutor_testing::TestClock::START + TimeDelta::microseconds(1);
    let data = "\"a\\u0000b\"".to_owned();
    let wanted = job("mail").with_due(Due::At(at)).with_data(data.clone()).with_tags(vec!["c\0d".to_owned()]);
    let enqueued = enqueue_one(&backend, wanted).await;
    assert_eq!(i64::from(enqueued.id()), 5_000_000_001);
    let stored = &all(&backend).await[0];
    assert_eq!((stored.scheduled_at, &stored.data, &stored.tags[0]), (at, &data, &"c\0d".to_owned()));
}

/// A caller that goes away while it waits takes nothing with it: the others of its transaction are stored.
#[tokio::test]
async fn dropping_one_caller_does_not_fail_the_others() {
    let file = File::new();
    let backend = file.open().await;
    let mut other = file.connect().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let mut gone = backend.enqueue(vec![job("gone")]);
    let mut stays = backend.enqueue(vec![job("stays")]);
    assert!(futures_poll(&mut gone).await.is_none());
    assert!(futures_poll(&mut stays).await.is_none());
    drop(gone);
    lock.rollback().await.unwrap();
    assert_eq!(stays.await.unwrap().len(), 1);
    let stays = Filter::Executor("stays".into());
    assert_eq!(backend.query(&stays, 10).await.unwrap().len(), 1);
}

/// Polls a future once.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

struct Receipt;

#[async_trait::async_trait]
impl Executor for Receipt {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = "receipt";
    async fn execute(_: Job<u32, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

#[tokio::test]
async fn trap_16_a_job_enqueued_in_a_transaction_is_there_if_and_only_if_it_commits() {
    let file = File::new();
    let backend = file.open().await;
    let node = join(&backend).await;
    let mut application = file.connect().await;
    let mut transaction = application.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let _ = Receipt::builder().with_data(1).enqueue_in(&backend, &mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    let mut transaction = application.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let enqueued = Receipt::builder().with_data(2).enqueue_in(&backend, &mut transaction).await.unwrap();
    assert!(all(&backend).await.is_empty(), "not before the commit");
    transaction.commit().await.unwrap();
    let claimed = claim(&backend, node, "receipt", 10).await;
    assert_eq!(claimed.jobs.iter().map(|job| (job.id, &*job.data)).collect::<Vec<_>>(), [(enqueued.id(), "2")]);
}

#[tokio::test]
async fn many_jobs_go_into_a_transaction_and_that_of_another_file_is_refused() {
    let (file, other) = (File::new(), File::new());
    let (backend, memory) = (file.open().await, SqliteBackend::in_memory().await.unwrap());
    let other_backend = other.open().await;
    let mut application = file.connect().await;
    let mut transaction = application.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for stranger in [&other_backend, &memory] {
        let error = stranger.enqueue_in(&mut transaction, vec![job("mail")]).await.unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains("begin it on a connection to the backend's file"));
    }
    let answers = backend.enqueue_in(&mut transaction, vec![job("mail"), job("print"), job("mail")]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(ids(&all(&backend).await), answers.iter().map(|answer| answer.id()).collect::<Vec<_>>());
    assert!(all(&other_backend).await.is_empty());
}

#[tokio::test]
async fn a_large_batch_is_all_or_nothing_and_in_order() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let large = "x".repeat(1 << 20);
    let jobs: Vec<NewJob> = (0..2500_u16)
        .map(|priority| {
            job("mail").with_priority(priority).with_data(if priority % 250 == 0 {
                format!("\"{large}\"")
            } else {
                "1".to_owned()
            })
        })
        .collect();
    let answers = backend.enqueue(jobs).await.unwrap();
    assert!(answers.windows(2).all(|pair| pair[0].id() < pair[1].id()));
    let stored = all(&backend).await;
    assert!(stored.iter().zip(&answers).zip(0..).all(|((job, answer), n)| job.id == answer.id() && job.priority == n));
    assert_eq!(stored.len(), 2500);
}
