//! What is left beside the file when a node has left.

use std::{fs, sync::Arc, time::Duration};

use rexecutor::{
    backend::{Enqueue, Inspect, Maintain, Wakeup},
    job::JobStatus,
};

use super::{File, all, claim, end, enqueue_one, job, join, open::open_files};

fn names(file: &File) -> Vec<String> {
    let entries = fs::read_dir(file.folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// As a program ends: something still holds the backend, as a global one is held for ever.
#[tokio::test]
async fn case_01_a_node_that_has_left_leaves_nothing_but_the_file() {
    let file = File::new();
    let backend = file.open().await;
    let node = join(&backend).await;
    let _ = enqueue_one(&backend, job("mail")).await;
    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    assert_eq!(all(&backend).await.len(), 1);
    assert_eq!(names(&file), ["jobs.db", "jobs.db-shm", "jobs.db-wal"]);
    let done =
        rexecutor::backend::Settle::settle(&backend, [end(&run, rexecutor::backend::Outcome::complete(true))].into());
    assert!(done.await.unwrap().is_empty());
    backend.leave(node).await.unwrap();
    assert_eq!((names(&file), open_files(&file)), (vec!["jobs.db".to_owned()], 0));

    // Whoever looks at the jobs afterwards leaves nothing, either.
    assert_eq!(all(&backend).await[0].status, JobStatus::Complete);
    assert_eq!((names(&file), open_files(&file)), (vec!["jobs.db".to_owned()], 0));

    // And whoever goes on finds everything as it was.
    let _ = enqueue_one(&backend, job("mail")).await;
    backend.ping(Duration::from_secs(60)).await.unwrap();
    let node = join(&backend).await;
    assert_eq!(claim(&backend, node, "mail", 9).await.jobs.len(), 1);
    assert_eq!(all(&backend).await.len(), 2);
    backend.leave(node).await.unwrap();
    assert_eq!(names(&file), ["jobs.db"]);
}

#[tokio::test]
async fn case_01_the_file_stays_open_while_another_node_of_the_process_works() {
    let file = File::new();
    let backend = file.open().await;
    let [first, second] = [join(&backend).await, join(&backend).await];
    backend.leave(first).await.unwrap();
    assert!(open_files(&file) > 0);
    assert!(backend.heartbeat(second).await.unwrap().member);
    backend.leave(second).await.unwrap();
    assert_eq!(open_files(&file), 0);
}

/// A node whose membership was lost joins again, and leaves once.
#[tokio::test]
async fn case_01_a_membership_that_was_lost_does_not_hold_the_file_open() {
    let file = File::new();
    let backend = file.open().await;
    let lost = backend.join(&rexecutor::backend::Node::new("", Duration::ZERO)).await.unwrap();
    let living = join(&backend).await;
    let seen = backend.heartbeat(living).await.unwrap().others;
    backend.rescue(&seen).await.unwrap();
    backend.leave(living).await.unwrap();
    assert!(!backend.heartbeat(lost).await.unwrap().member);
    let node = join(&backend).await;
    backend.leave(node).await.unwrap();
    assert_eq!(open_files(&file), 0);
}

#[tokio::test]
async fn case_01_looking_for_news_does_not_open_the_file_and_news_come_when_it_is_open() {
    let file = File::new();
    let backend = rexecutor_sqlx::SqliteOptions::new().poll_interval(Duration::ZERO).open(file.path()).await.unwrap();
    let (wakeup, watcher) = (Arc::new(Wakeup::default()), backend.clone());
    let watched = wakeup.clone();
    let watching = tokio::spawn(async move { rexecutor::backend::Claim::watch(&watcher, watched).await });
    assert!(wakeup.listen().await.all);
    let node = join(&backend).await;
    backend.leave(node).await.unwrap();
    for _ in 0..1_000 {
        // A look each, as far as anybody can tell.
        tokio::task::yield_now().await;
    }
    assert_eq!(open_files(&file), 0);
    let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
    assert!(wakeup.listen().await.executors.contains("mail"));
    let _ = wakeup.listen().await;
    let other = file.open().await;
    let _ = enqueue_one(&other, job("mail")).await;
    assert!(wakeup.listen().await.all);
    watching.abort();
}

/// A database in memory is gone when it is closed.
#[tokio::test]
async fn case_01_a_database_in_memory_outlives_its_nodes() {
    let backend = rexecutor_sqlx::SqliteBackend::in_memory().await.unwrap();
    let node = join(&backend).await;
    let _ = enqueue_one(&backend, job("mail")).await;
    backend.leave(node).await.unwrap();
    assert_eq!(backend.query(&rexecutor::backend::Filter::All(vec![]), 9).await.unwrap().len(), 1);
}
