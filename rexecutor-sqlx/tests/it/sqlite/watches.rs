//! Bells: whom they wake, and when.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    TimeDelta,
    backend::{Bell, Claim, Due, Enqueue, Failure, Inspect, Maintain, NewJob, Outcome, Settle},
    job::ErrorType,
};
use rexecutor_sqlx::{SqliteBackend, SqliteOptions};
use rexecutor_testing::TestClock;

use super::{File, claim, end, enqueue_one, job, join};

/// What the bell was rung for, if it was rung.
async fn rung(bell: &Bell) -> Option<rexecutor::backend::Rung> {
    let listen = std::pin::pin!(bell.listen());
    let mut listen = listen;
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match listen.as_mut().poll(context) {
            std::task::Poll::Ready(rung) => Some(rung),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_bell_rings_for_what_this_process_does_from_the_moment_watch_returns() {
    let file = File::new();
    let backend = file.open().await;
    let bell = Arc::new(Bell::default());
    let _watching = backend.watch(Arc::clone(&bell));
    let node = join(&backend).await;
    let id = enqueue_one(&backend, job("mail")).await.id();
    let heard = rung(&bell).await.unwrap();
    assert!(heard.executors.contains("mail") && !heard.all);

    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    assert_eq!(rung(&bell).await, None, "a claim makes nothing due");
    backend.cancel(&"mail".into(), id, "enough".to_owned()).await.unwrap();
    assert!(rung(&bell).await.unwrap().cancelled.contains(&id));
    assert!(backend.settle(&[end(&run, Outcome::GiveBack)]).await.unwrap().is_empty());
    assert_eq!(rung(&bell).await, None, "it became cancelled, not due");

    backend.rerun(&"mail".into(), id).await.unwrap();
    assert!(rung(&bell).await.unwrap().executors.contains("mail"));
    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    let error = Failure { error_type: ErrorType::Panic, details: String::new() };
    let retry = Outcome::Retry { delay: TimeDelta::seconds(5), error };
    assert!(backend.settle(&[end(&run, retry)]).await.unwrap().is_empty());
    assert!(rung(&bell).await.unwrap().executors.contains("mail"), "a node must learn when it is due next");

    backend.leave(node).await.unwrap();
    backend.rescue().await.unwrap();
    assert_eq!(rung(&bell).await, None, "nothing was rescued");
}

/// The poll goes by the backend's clock, so that a test moves it. One look after an interval is enough.
#[tokio::test]
async fn another_connection_s_commit_wakes_within_one_interval_and_our_own_do_not() {
    let file = File::new();
    let clock = TestClock::new();
    let backend = SqliteOptions::new().clock(clock.clone()).open(file.path()).await.unwrap();
    let other = file.open().await;
    let bell = Arc::new(Bell::default());
    let watching = tokio::spawn({
        let (backend, bell) = (backend.clone(), Arc::clone(&bell));
        async move { backend.watch(bell).await }
    });
    assert!(bell.listen().await.all, "what was done before the first look may be news");
    let interval = TimeDelta::milliseconds(50);

    let _ = enqueue_one(&backend, NewJob { due: Due::Now, ..job("mail") }).await;
    assert!(bell.listen().await.executors.contains("mail"));
    for _ in 0..3 {
        clock.advance(interval).await;
        // Whatever the look had to say would be there before the writer answers this.
        backend.rescue().await.unwrap();
    }
    assert_eq!(rung(&bell).await, None, "our own commit is no news");

    let node = join(&backend).await;
    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    other.cancel(&"mail".into(), run.id, "enough".to_owned()).await.unwrap();
    while clock.now_plus(interval).await {
        if let Some(heard) = rung(&bell).await {
            assert!(heard.all && heard.cancelled.contains(&run.id), "{heard:?}");
            break;
        }
    }
    watching.abort();
}

trait Advance {
    async fn now_plus(&self, interval: TimeDelta) -> bool;
}

impl Advance for TestClock {
    async fn now_plus(&self, interval: TimeDelta) -> bool {
        self.advance(interval).await;
        true
    }
}

/// With the real clock: the promise that a node makes to its users.
#[tokio::test]
async fn a_node_wakes_soon_after_another_process_has_enqueued() {
    let file = File::new();
    let backend = file.open().await;
    let other = file.open().await;
    let bell = Arc::new(Bell::default());
    let watching = tokio::spawn({
        let (backend, bell) = (backend.clone(), Arc::clone(&bell));
        async move { backend.watch(bell).await }
    });
    assert!(bell.listen().await.all);
    let _ = enqueue_one(&other, job("mail")).await;
    assert!(bell.listen().await.all);
    watching.abort();
}

#[tokio::test]
async fn a_watch_on_a_database_in_memory_costs_nothing_and_keeps_the_bell() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let bell = Arc::new(Bell::default());
    let watching = backend.watch(Arc::clone(&bell));
    let _ = enqueue_one(&backend, job("mail")).await;
    assert!(rung(&bell).await.is_some());
    drop(watching);
    let _ = Duration::ZERO;
}
