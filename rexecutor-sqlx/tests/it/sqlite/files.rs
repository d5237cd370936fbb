//! What happens to a file while it is open, and how long its locks are waited for.

use std::{fs, time::Duration};

use rexecutor::{
    backend::{BackendError, Claim, Enqueue, Filter, Inspect, Maintain},
    clock::{Clock, SystemClock},
};
use rexecutor_sqlx::{SqliteBackend, SqliteOptions};
use sqlx::Connection;

use super::{File, all, demand, enqueue_one, job, join};
use crate::log::Log;

/// Every kind of call.
async fn errors(backend: &SqliteBackend, node: rexecutor::job::NodeId) -> Vec<BackendError> {
    vec![
        backend.enqueue(vec![job("mail")]).await.map(drop).unwrap_err(),
        backend.claim(node, [demand("mail", 1)].into()).await.map(drop).unwrap_err(),
        backend.heartbeat(node).await.map(drop).unwrap_err(),
        backend.query(&Filter::All(Vec::new()), 1).await.map(drop).unwrap_err(),
        backend.ping(Duration::from_secs(60)).await.unwrap_err(),
        backend.watch(std::sync::Arc::default()).await.unwrap_err(),
    ]
}

#[cfg(unix)]
#[tokio::test]
async fn case_45_a_file_that_is_deleted_moved_or_replaced_is_an_error_at_the_next_call() {
    type Deed = fn(&File);
    let deeds: [(Deed, &str); 3] = [
        (
            |file| {
                ["jobs.db", "jobs.db-wal", "jobs.db-shm"]
                    .iter()
                    .for_each(|name| fs::remove_file(file.folder.path().join(name)).unwrap())
            },
            "deleted or moved",
        ),
        (|file| fs::rename(file.path(), file.folder.path().join("away.db")).unwrap(), "deleted or moved"),
        (
            |file| {
                let copy = file.folder.path().join("copy.db");
                fs::copy(file.path(), &copy).unwrap();
                fs::rename(copy, file.path()).unwrap();
            },
            "replaced by another file",
        ),
    ];
    for (deed, what) in deeds {
        let file = File::new();
        let backend = file.open().await;
        let node = join(&backend).await;
        let _ = enqueue_one(&backend, job("mail")).await;
        assert_eq!(all(&backend).await.len(), 1);
        deed(&file);
        for error in errors(&backend, node).await {
            let text = format!("{error:?}");
            assert!(text.contains(&file.path().display().to_string()) && text.contains(what), "{text}");
        }
    }
}

#[tokio::test]
async fn case_45_a_file_that_is_put_back_is_used_again() {
    let file = File::new();
    let backend = file.open().await;
    let _ = enqueue_one(&backend, job("mail")).await;
    let away = file.folder.path().join("away.db");
    fs::rename(file.path(), &away).unwrap();
    backend.enqueue(vec![job("mail")]).await.map(drop).unwrap_err();
    fs::rename(&away, file.path()).unwrap();
    let _ = enqueue_one(&backend, job("mail")).await;
    assert_eq!(all(&backend).await.len(), 2);
}

/// A transaction that another process holds is waited for once, whatever the call and however many there are.
#[tokio::test]
async fn case_45_the_busy_timeout_is_waited_for_once() {
    let file = File::new();
    let limit = Duration::from_secs(1);
    let backend = SqliteOptions::new().busy_timeout(limit).open(file.path()).await.unwrap();
    let mut other = file.connect().await;
    for kind in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        sqlx::raw_sql(kind).execute(&mut other).await.unwrap();
        let within = SystemClock.sleep(limit * 3 / 2);
        let calls = async {
            let (one, many) = (backend.enqueue(vec![job("mail")]), backend.enqueue(vec![job("mail"); 300]));
            let heartbeat = backend.heartbeat(rexecutor::job::NodeId(1));
            let (one, many, heartbeat) = tokio::join!(one, many, heartbeat);
            [one.map(drop).unwrap_err(), many.map(drop).unwrap_err(), heartbeat.map(drop).unwrap_err()]
        };
        tokio::select! {
            biased;
            errors = calls => errors.iter().for_each(|error| assert!(error.is_transient(), "{error:?}")),
            () = within => panic!("{kind}: not all calls have ended"),
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
        let _ = enqueue_one(&backend, job("mail")).await;
    }
}

/// So does a node that joins while other nodes write.
#[tokio::test]
async fn case_45_a_node_that_joins_waits_as_every_call_does() {
    let file = File::new();
    let patient = file.open().await;
    let quick = SqliteOptions::new().busy_timeout(Duration::from_millis(200)).open(file.path()).await.unwrap();
    let mut other = file.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let joining = tokio::spawn(async move { join(&patient).await });
    // Until this one has given up.
    let error = quick.enqueue(vec![job("mail")]).await.unwrap_err();
    assert!(error.is_transient() && !joining.is_finished(), "{error:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    joining.await.unwrap();
}

#[tokio::test]
async fn case_45_a_reader_that_keeps_the_log_from_being_cut_is_told_of_once_and_then_it_is_cut() {
    let (log, _guard) = Log::begin();
    let file = File::new();
    let backend = file.open().await;
    let _ = enqueue_one(&backend, job("mail")).await;
    let mut reader = file.connect().await;
    let mut reading = reader.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM rexecutor_jobs").fetch_one(&mut *reading).await.unwrap();
    let large = rexecutor::backend::NewJob::new("mail", format!("\"{}\"", "x".repeat(4_000)));
    // Some 40 megabytes.
    for _ in 0..10 {
        let _ = backend.enqueue(vec![large.clone(); 1_000]).await.unwrap();
    }
    const WORDS: &str = "the SQLite log grows";
    while log.lines(WORDS).is_empty() {
        tokio::task::yield_now().await;
    }
    let size = || fs::metadata(file.folder.path().join("jobs.db-wal")).unwrap().len();
    assert!(size() > 32 << 20);
    reading.rollback().await.unwrap();
    while size() > 32 << 20 {
        tokio::task::yield_now().await;
    }
    let lines = log.lines("");
    assert!(matches!(&lines[..], [line] if line.starts_with("WARN") && line.contains("megabytes=")), "{lines:?}");
    assert_eq!(all(&backend).await.len(), 10_001);
}
