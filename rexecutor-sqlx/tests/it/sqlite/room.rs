//! Queues in which only so many jobs may wait, with several processes, and in the application's transactions.

use rexecutor::backend::{Enqueue, NewJob};
use rexecutor_sqlx::EnqueueIn;
use sqlx::Connection;

use super::{File, all, job};

fn bounded(count: usize) -> Vec<NewJob> {
    vec![job("mail").with_max_pending(100); count]
}

/// Case 14.9: each process may exceed the limit by the batch that it has in hand, which is 20 of 100, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn case_14_9_two_processes_exceed_the_limit_by_a_batch_each_at_most() {
    let file = File::new();
    let processes = [file.open().await, file.open().await];
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..64 {
        let process = processes[caller % 2].clone();
        callers.spawn(async move {
            for _ in 0..4 {
                if let Err(error) = process.enqueue(bounded(1)).await {
                    assert!(error.queue_full().is_some(), "{error:?}");
                }
            }
        });
    }
    callers.join_all().await;
    let stored = all(&processes[0]).await.len();
    assert!((100..=140).contains(&stored), "{stored}");
}

/// Case 14.9: in a transaction it is exact, and a rollback gives the places back.
#[tokio::test]
async fn case_14_9_a_transaction_takes_places_and_a_rollback_gives_them_back() {
    let file = File::new();
    let backend = file.open().await;
    let mut own = file.connect().await;
    for commits in [false, true] {
        let mut transaction = own.begin_with("BEGIN IMMEDIATE").await.unwrap();
        backend.enqueue_in(&mut transaction, bounded(60)).await.unwrap();
        let refused = backend.enqueue_in(&mut transaction, bounded(41)).await.unwrap_err();
        assert!(refused.queue_full().is_some(), "{refused}");
        match commits {
            true => transaction.commit().await.unwrap(),
            false => transaction.rollback().await.unwrap(),
        }
    }
    backend.enqueue(bounded(40)).await.unwrap();
    assert!(backend.enqueue(bounded(1)).await.unwrap_err().queue_full().is_some());
    assert_eq!(all(&backend).await.len(), 100);
}
