//! Hearing of what other processes do.

use std::{sync::Arc, time::Duration};

use rexecutor::{
    backend::{Claim, Enqueue, EnqueueIn, Inspect, Wakeup},
    job::ExecutorName,
};

use rexecutor_sqlx::PgBackend;
use sqlx::{Connection, PgConnection};

use crate::{
    listening::{steady_listener, watching},
    support::{claim, in_schema, job, join},
};

/// A wakeup whose first notice says that it listens now.
async fn listening(backend: &PgBackend) -> (Arc<Wakeup>, tokio::task::JoinHandle<String>) {
    let (wakeup, task) = watching(backend);
    assert!(wakeup.listen().await.all);
    (wakeup, task)
}

#[tokio::test]
async fn a_node_of_another_process_hears_of_jobs_and_of_cancels() {
    in_schema(async |world| {
        let (wakeup, task) = listening(&world.backend).await;
        let another = world.another().await;
        let id = another.enqueue(vec![job("mail")]).await.unwrap()[0].id();
        assert!(wakeup.listen().await.executors.contains("mail"));
        let node = join(&another).await;
        assert_eq!(claim(&another, node, "mail", 1).await.jobs.len(), 1);
        another.cancel(&ExecutorName::from("mail"), id, "enough".to_owned()).await.unwrap();
        assert!(wakeup.listen().await.cancelled.contains(&id));
        task.abort();
    })
    .await;
}

#[tokio::test]
async fn a_transaction_of_the_application_is_heard_when_it_commits_unless_told_not_to() {
    in_schema(async |world| {
        let (wakeup, task) = listening(&world.backend).await;
        let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
        let silent = world.options().notify_in_transactions(false).connect(&world.url).await.unwrap();
        for (backend, name) in [(&silent, "silent"), (&world.backend, "loud")] {
            let mut transaction = pool.begin().await.unwrap();
            let _ = backend.enqueue_in(&mut transaction, vec![job(name)]).await.unwrap();
            transaction.commit().await.unwrap();
        }
        let heard = wakeup.listen().await.executors;
        assert_eq!(heard.into_iter().map(|name| name.to_string()).collect::<Vec<_>>(), ["loud"]);
        task.abort();
    })
    .await;
}

#[tokio::test]
async fn trap_36_foreign_payloads_are_ignored_and_a_dead_connection_is_made_again() {
    in_schema(async |world| {
        let (wakeup, task) = listening(&world.backend).await;
        let channel = format!("rexecutor:{}", world.schema);
        for payload in ["", "mail", r#"{"from":7}"#, "\u{1}"] {
            world.sql(&format!("SELECT pg_notify('{channel}', '{payload}')")).await;
        }
        let _ = world.another().await.enqueue(vec![job("mail")]).await.unwrap();
        let heard = wakeup.listen().await;
        assert!(!heard.all && heard.executors.contains("mail"), "{heard:?}");
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        let session = steady_listener(&mut connection, &world.schema).await;
        world.sql(&format!("SELECT pg_terminate_backend({session})")).await;
        assert!(wakeup.listen().await.all);
        let _ = world.another().await.enqueue(vec![job("mail")]).await.unwrap();
        assert!(wakeup.listen().await.executors.contains("mail"));
        task.abort();
    })
    .await;
}

#[tokio::test]
async fn without_notifications_every_bell_rings_once_an_interval() {
    in_schema(async |world| {
        let options = world.options().notifications(false).poll_interval(Duration::from_secs(7));
        let backend = options.connect(&world.url).await.unwrap();
        let wakeup = Arc::new(Wakeup::default());
        let watched = wakeup.clone();
        let task = tokio::spawn(async move { backend.watch(watched).await });
        world.clock.settle().await;
        world.clock.advance(chrono::TimeDelta::seconds(7)).await;
        assert!(wakeup.listen().await.all);
        task.abort();
    })
    .await;
}
