//! Events between processes on one file, and what becomes of them when a listener is silent.

use std::time::Duration;

use rexecutor::{
    backend::{Enqueue, Events, Maintain, Outcome, Settle, events},
    clock::{Clock, SystemClock},
    events::{Event, EventKind},
};
use rexecutor_sqlx::SqliteBackend;

use super::{File, claim, end, enqueue_one, job, join};
use crate::{
    events_of_others::{follow, ids, listen, next, work},
    process::{Process, role},
};

/// No test of its own: what the process of another one does.
#[tokio::test]
async fn child() {
    let Some((role, path)) = role() else { return };
    assert_eq!(role, "work");
    work(SqliteBackend::open(path).await.unwrap()).await;
}

impl File {
    async fn sql(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_optional(&mut self.connect().await).await.unwrap().unwrap_or_default()
    }

    /// Waits until that gives so many.
    async fn until(&self, sql: &'static str, count: i64) {
        while self.sql(sql).await != count {
            SystemClock.sleep(Duration::from_millis(10)).await;
        }
    }
}

const LISTENERS: &str = "SELECT count(*) FROM rexecutor_listeners";
const EVENTS: &str = "SELECT count(*) FROM rexecutor_events";

#[tokio::test]
async fn what_another_process_does_is_heard_and_written_only_while_somebody_listens() {
    let file = File::new();
    let backend = file.open().await;
    let mut process = Process::start("sqlite::events::child", "work", file.path().to_str().unwrap());
    assert_eq!(process.next().as_deref(), Some("works"));
    let mut stream = listen(&backend).await;
    follow(&backend, &mut stream).await;
    let other = file.open().await;
    let others = [listen(&backend).await, listen(&other).await];
    follow(&backend, &mut stream).await;
    assert_eq!(file.sql(LISTENERS).await, 2, "one of each process");
    let [one, another] = others;
    assert_eq!(ids(one, 1).await, ids(another, 1).await);
    drop(stream);
    // As soon as the last stream is dropped, and all is read.
    file.until(LISTENERS, 0).await;
    file.until(EVENTS, 0).await;
}

/// A listener that was not heard for as long as it counts as one is told that it has lost something, and goes on from there.
#[tokio::test]
async fn a_listener_that_was_silent_is_told_so() {
    let file = File::new();
    let backend = file.open().await;
    let mut stream = listen(&backend).await;
    let node = join(&backend).await;
    file.sql("UPDATE rexecutor_listeners SET until_at = 0 RETURNING 0").await;
    assert!(backend.heartbeat(node).await.unwrap().member, "it learns that nobody listens");
    let _ = enqueue_one(&backend, job("work")).await;
    let runs = claim(&backend, node, "work", 1).await.jobs;
    assert_eq!(file.sql(EVENTS).await, 0);
    // It finds that out when it says that it is alive.
    loop {
        match stream.next().await.unwrap().unwrap() {
            Event::Lagged { missed, .. } => break assert_eq!(missed, None),
            Event::Job(changed) => assert_eq!(changed.change.kind(), EventKind::Enqueued),
            other => panic!("{other:?}"),
        }
    }
    assert!(backend.settle([end(&runs[0], Outcome::complete(true))].into()).await.unwrap().is_empty());
    assert_eq!(next(&mut stream).await.change.kind(), EventKind::Completed);
}

/// The table has a bound, and a listener that is too far behind goes on with the present.
#[tokio::test]
async fn events_that_nobody_reads_are_bounded() {
    let file = File::new();
    let backend = file.open().await;
    let mut reader = events(&backend).unwrap().listen(None).await.unwrap();
    file.sql(
        "INSERT INTO rexecutor_events (at, kind, job, executor, attempt)
         WITH RECURSIVE each (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < 101000)
         SELECT 0, 'updated', 1, 'mail', 1 FROM each RETURNING 0",
    )
    .await;
    assert!(reader.read(1_000).await.unwrap().has_lost);
    assert_eq!(reader.read(1_000).await.unwrap().events, []);
    let _ = enqueue_one(&backend, job("mail")).await;
    assert_eq!(reader.read(1_000).await.unwrap().events.len(), 1);
    reader.attend(None).await.unwrap();
    assert_eq!(file.sql(EVENTS).await, 0);
    drop(reader);
    // Nobody has said that it has ended: the next one finds it when its time is over.
    file.sql("UPDATE rexecutor_listeners SET until_at = 0 RETURNING 0").await;
    let mut later = backend.listen(Some(Vec::new())).await.unwrap();
    assert_eq!(file.sql(LISTENERS).await, 1);
    later.end().await.unwrap();
    let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
}
