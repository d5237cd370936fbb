//! `Enqueue`, of jobs of which only so many may wait.

use chrono::TimeDelta;
use rexecutor::{
    backend::{Due, NewJob},
    job::JobStatus,
};

use super::harness::{COMPLETE, Harness, job, retry};

/// A job of which ten may wait.
fn bounded() -> NewJob {
    job("mail").with_max_pending(10)
}

/// Case 14.9: no more jobs wait than may, whenever they are due; others are left alone, and room comes back.
pub async fn case_14_9_no_more_wait_than_may(t: &Harness) {
    t.enqueue(job("mail").with_due(Due::In(TimeDelta::hours(1)))).await;
    for _ in 0..9 {
        t.enqueue(bounded()).await;
    }
    for _ in 0..3 {
        let error = t.backend.enqueue(vec![bounded()]).await.expect_err("ten wait");
        let executor = error.queue_full().map(|(executor, most)| (executor.as_str(), most));
        assert_eq!((executor, error.is_transient()), (Some(("mail", 10)), true), "{error}");
    }
    t.enqueue(job("mail")).await;
    t.enqueue(job("print").with_max_pending(1)).await;
    let node = t.join().await;
    let runs = t.claim(node, "mail", 5).await;
    assert_eq!(runs.len(), 5, "what was enqueued without a limit is there");
    t.wait(1).await;
    // Six wait, the one that nothing was asked for among them.
    for _ in 0..4 {
        t.enqueue(bounded()).await;
    }
    assert!(t.backend.enqueue(vec![bounded()]).await.is_err());
    // A retry needs no place, and counts.
    assert!(t.settle(&runs[0], retry(60)).await);
    assert!(t.settle(&runs[1], COMPLETE).await);
    t.wait(20).await;
    assert!(t.backend.enqueue(vec![bounded()]).await.is_err());
    let waiting = t.all().await.into_iter().filter(|row| row.executor.as_str() == "mail" && row.status.is_pending());
    assert_eq!(waiting.count(), 11);
    let stored = t.all().await;
    assert!(stored.iter().all(|row| row.extras.max_pending.is_none()), "it is not stored");
    assert_eq!(stored.iter().filter(|row| row.status == JobStatus::Complete).count(), 1);
}

/// Case 14.9: a call whose jobs do not all fit stores none of them, and one that never will is told so.
pub async fn case_14_9_a_call_that_does_not_fit_stores_nothing(t: &Harness) {
    t.enqueue_all(vec![bounded(); 8]).await;
    let print = || job("print").with_max_pending(3);
    let mixed = [bounded(), print(), bounded(), print(), bounded()];
    assert!(t.backend.enqueue(mixed.to_vec()).await.expect_err("two fit").queue_full().is_some());
    let full_print = [print(), bounded(), print(), print(), print()];
    assert!(!t.backend.enqueue(full_print.to_vec()).await.expect_err("three may wait").is_transient());
    assert_eq!(t.all().await.len(), 8);
    t.wait(1).await;
    t.enqueue_all(mixed[..4].to_vec()).await;
    assert_eq!(t.all().await.len(), 12);
    let never = t.backend.enqueue(vec![bounded(); 11]).await.expect_err("they never fit");
    assert!(!never.is_transient() && never.queue_full().is_none(), "{never}");
}

/// Case 14.9: of 64 callers at once as many jobs are taken as may wait, while nodes claim as when they do not.
pub async fn case_14_9_of_sixty_four_callers_as_many_are_taken_as_may_wait(t: &Harness) {
    for round in 1..=2 {
        let callers = (0..64).map(|_| {
            let t = t.clone();
            tokio::spawn(async move {
                let mut taken = 0;
                for _ in 0..4 {
                    match t.backend.enqueue(vec![job("mail").with_max_pending(100)]).await {
                        Ok(answers) => taken += answers.len(),
                        Err(error) => assert!(error.queue_full().is_some(), "{error:?}"),
                    }
                }
                taken
            })
        });
        let mut taken = 0;
        for caller in callers.collect::<Vec<_>>() {
            taken += caller.await.expect("no task panics");
        }
        assert_eq!(taken, 100, "round {round}");
        let node = t.join().await;
        for run in t.claim(node, "mail", 1_000).await {
            assert!(t.settle(&run, COMPLETE).await);
        }
        t.wait(1).await;
    }
}
