//! Queues in which only so many jobs may wait, with several processes, and in the application's transactions.

use rexecutor::backend::{Enqueue, EnqueueIn, NewJob};
use sqlx::PgPool;

use crate::support::{claim, in_schema, job, join};

fn bounded(count: usize) -> Vec<NewJob> {
    vec![job("mail").with_max_pending(100); count]
}

/// Case 14.9: each process may exceed the limit by the batch that it has in hand, which is 20 of 100, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn case_14_9_four_processes_exceed_the_limit_by_a_batch_each_at_most() {
    in_schema(async |world| {
        let mut processes = Vec::new();
        for _ in 0..4 {
            processes.push(world.another().await);
        }
        // Each has taken a batch, and used little of it.
        for process in &processes {
            process.enqueue(bounded(1)).await.unwrap();
        }
        let callers = (0..64).map(|caller| {
            let process = processes[caller % 4].clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    if let Err(error) = process.enqueue(bounded(1)).await {
                        assert!(error.queue_full().is_some(), "{error:?}");
                    }
                }
            })
        });
        futures::future::join_all(callers).await.into_iter().for_each(Result::unwrap);
        let stored = world.rows().await.len();
        assert!((100..=100 + 4 * 20).contains(&stored), "{stored}");
        world.clock.advance(chrono::TimeDelta::seconds(1)).await;
        let node = join(&world.backend).await;
        assert_eq!(claim(&world.backend, node, "mail", 90).await.jobs.len(), 90);
        processes[0].enqueue(bounded(1)).await.unwrap();
    })
    .await;
}

/// Case 14.9: a transaction asks as any other call, and holds up nobody while it is open.
#[tokio::test]
async fn case_14_9_a_transaction_takes_places_and_holds_up_nobody() {
    in_schema(async |world| {
        let pool = PgPool::connect(&world.url).await.unwrap();
        let mut transaction = pool.begin().await.unwrap();
        world.backend.enqueue_in(&mut transaction, bounded(60)).await.unwrap();
        world.backend.enqueue(bounded(40)).await.unwrap();
        let refused = world.backend.enqueue_in(&mut transaction, bounded(61)).await.unwrap_err();
        assert!(refused.queue_full().is_some(), "{refused}");
        transaction.rollback().await.unwrap();
        // What was rolled back is found to be missing by the next count.
        world.clock.advance(chrono::TimeDelta::seconds(1)).await;
        world.backend.enqueue(bounded(60)).await.unwrap();
        assert_eq!(world.rows().await.len(), 100);
    })
    .await;
}
