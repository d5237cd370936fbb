//! Bells: whom they wake, and when.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    TimeDelta,
    backend::{Bell, Claim, Failure, Inspect, Maintain, Outcome, Settle},
    job::ErrorType,
};
use rexecutor_sqlx::{SqliteBackend, SqliteOptions};

use super::{File, claim, end, enqueue_one, job, join};

/// What the bell was rung for, if it was rung.
async fn rung(bell: &Bell) -> Option<rexecutor::backend::Rung> {
    let mut listen = std::pin::pin!(bell.listen());
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

/// A node on this backend; it ends with this value.
struct Watching {
    bell: Arc<Bell>,
    task: tokio::task::JoinHandle<()>,
}

impl Watching {
    /// Returns when the first look has been taken.
    async fn start(backend: &SqliteBackend) -> Self {
        let (backend, bell) = (backend.clone(), Arc::new(Bell::default()));
        let watched = Arc::clone(&bell);
        let task = tokio::spawn(async move { backend.watch(watched).await.unwrap() });
        assert!(bell.listen().await.all, "what was done before the first look may be news");
        Self { bell, task }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn what_another_connection_does_wakes_a_node_and_stops_its_jobs() {
    let file = File::new();
    let (backend, other) = (file.open().await, file.open().await);
    let watching = Watching::start(&backend).await;
    let id = enqueue_one(&other, job("mail")).await.id();
    assert!(watching.bell.listen().await.all);
    let node = join(&backend).await;
    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    other.cancel(&"mail".into(), run.id, "enough".to_owned()).await.unwrap();
    let heard = watching.bell.listen().await;
    assert!(heard.all && heard.cancelled.contains(&id), "{heard:?}");
}

/// Else a busy node would wake itself with everything that it stores.
#[tokio::test]
async fn what_this_process_does_is_no_news_to_it() {
    let file = File::new();
    let backend = SqliteOptions::new().poll_interval(Duration::ZERO).open(file.path()).await.unwrap();
    let watching = Watching::start(&backend).await;
    let node = join(&backend).await;
    for _ in 0..50 {
        // A write each, with looks in between.
        backend.heartbeat(node).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(rung(&watching.bell).await, None);
    // The looks were taken: this one is seen.
    let _ = enqueue_one(&file.open().await, job("mail")).await;
    assert!(watching.bell.listen().await.all);
}

#[tokio::test]
async fn a_watch_on_a_database_in_memory_holds_its_bell_until_it_ends() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let bell = Arc::new(Bell::default());
    let watching = backend.watch(Arc::clone(&bell));
    let _ = enqueue_one(&backend, job("mail")).await;
    assert!(rung(&bell).await.is_some());
    let held = Arc::downgrade(&bell);
    drop(bell);
    assert_eq!(held.strong_count(), 1);
    drop(watching);
    assert_eq!(held.strong_count(), 0);
}
