//! Listeners: whom they wake, and when.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    TimeDelta,
    backend::{Claim, Failure, Inspect, Maintain, Outcome, Settle, Wakeup},
    job::ErrorType,
};
use rexecutor_sqlx::{SqliteBackend, SqliteOptions};

use super::{File, claim, end, enqueue_one, job, join};

/// Why the wakeup fired, if it did.
async fn woken(wakeup: &Wakeup) -> Option<rexecutor::backend::WakeReasons> {
    let mut listen = std::pin::pin!(wakeup.listen());
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match listen.as_mut().poll(context) {
            std::task::Poll::Ready(woken) => Some(woken),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_bell_rings_for_what_this_process_does_from_the_moment_watch_returns() {
    let file = File::new();
    let backend = file.open().await;
    let wakeup = Arc::new(Wakeup::default());
    let _watching = backend.watch(Arc::clone(&wakeup));
    let node = join(&backend).await;
    let id = enqueue_one(&backend, job("mail")).await.id();
    let heard = woken(&wakeup).await.unwrap();
    assert!(heard.executors.contains("mail") && !heard.all);

    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    assert_eq!(woken(&wakeup).await, None, "a claim makes nothing due");
    backend.cancel(&"mail".into(), id, "enough".to_owned()).await.unwrap();
    assert!(woken(&wakeup).await.unwrap().cancelled.contains(&id));
    assert!(backend.settle([end(&run, Outcome::GiveBack)].into()).await.unwrap().is_empty());
    assert_eq!(woken(&wakeup).await, None, "it became cancelled, not due");

    backend.rerun(&"mail".into(), id).await.unwrap();
    assert!(woken(&wakeup).await.unwrap().executors.contains("mail"));
    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    let error = Failure::new(ErrorType::Panic, "");
    let retry = Outcome::retry(TimeDelta::seconds(5), error);
    assert!(backend.settle([end(&run, retry)].into()).await.unwrap().is_empty());
    assert!(woken(&wakeup).await.unwrap().executors.contains("mail"), "a node must learn when it is due next");

    backend.leave(node).await.unwrap();
    backend.rescue(&[]).await.unwrap();
    assert_eq!(woken(&wakeup).await, None, "nothing was rescued");
}

/// A node on this backend; it ends with this value.
struct Watching {
    wakeup: Arc<Wakeup>,
    task: tokio::task::JoinHandle<()>,
}

impl Watching {
    /// Returns when the first look has been taken.
    async fn start(backend: &SqliteBackend) -> Self {
        let (backend, wakeup) = (backend.clone(), Arc::new(Wakeup::default()));
        let watched = Arc::clone(&wakeup);
        let task = tokio::spawn(async move { backend.watch(watched).await.unwrap() });
        assert!(wakeup.listen().await.all, "what was done before the first look may be news");
        Self { wakeup, task }
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
    assert!(watching.wakeup.listen().await.all);
    let node = join(&backend).await;
    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    other.cancel(&"mail".into(), run.id, "enough".to_owned()).await.unwrap();
    let heard = watching.wakeup.listen().await;
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
    assert_eq!(woken(&watching.wakeup).await, None);
    // The looks were taken: this one is seen.
    let _ = enqueue_one(&file.open().await, job("mail")).await;
    assert!(watching.wakeup.listen().await.all);
}

#[tokio::test]
async fn a_watch_on_a_database_in_memory_holds_its_bell_until_it_ends() {
    let backend = SqliteBackend::in_memory().await.unwrap();
    let wakeup = Arc::new(Wakeup::default());
    let watching = backend.watch(Arc::clone(&wakeup));
    let _ = enqueue_one(&backend, job("mail")).await;
    assert!(woken(&wakeup).await.is_some());
    let held = Arc::downgrade(&wakeup);
    drop(wakeup);
    assert_eq!(held.strong_count(), 1);
    drop(watching);
    assert_eq!(held.strong_count(), 0);
}
