//! A server that cannot be reached.

use std::{error::Error, time::Duration};

use rexecutor::backend::{Backend, BackendError, Enqueue, Filter, Inspect};
use rexecutor_sqlx::{ConnectError, PgBackend, PgOptions};
use tokio::net::TcpListener;

use crate::{
    server::Server,
    support::{in_schema, job},
};

/// An error and all its causes.
fn whole(error: &dyn Error) -> String {
    format!("{error:?}")
}

/// The time limits are longer than the test may take: none of these is waited for.
#[tokio::test]
async fn case_04_connecting_says_at_once_what_is_wrong() {
    let hour = Duration::from_secs(3_600);
    let options = || PgOptions::new().connect_timeout(hour).timeout(hour);
    for (url, scheme) in [
        ("http://127.0.0.1/x", "http"),
        ("mysql://root:secret@127.0.0.1/x", "mysql"),
        ("sqlite:jobs.db", "sqlite"),
        ("localhost:5432/x", "localhost"),
    ] {
        let error = options().connect(url).await.unwrap_err();
        assert!(matches!(&error, ConnectError::Scheme { scheme: found } if found == scheme), "{url}: {error:?}");
        let text = error.to_string();
        assert!(text.contains(&format!("`{scheme}:`")) && text.contains("write `postgres://"), "{text}");
        assert!(!format!("{error:?} {text}").contains("secret"));
        assert!(!error.is_transient());
    }
    let nobody = { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap() };
    let error = options().connect(format!("postgres://app@{nobody}/x")).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Unreachable { server, .. } if *server == nobody.to_string()), "{error:?}");
    assert!(whole(&error).contains("refused") && error.is_transient(), "{}", whole(&error));
    // A pool of the application's that has not connected yet, too.
    let pool = sqlx::PgPool::connect_lazy(&format!("postgres://app@{nobody}/x")).unwrap();
    let error = options().from_pool(pool).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    let error = options().connect("postgres://app@no-such-host.invalid/x").await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn case_04_a_server_that_does_not_answer_has_a_time_limit_of_its_own() {
    // It takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let options = PgOptions::new().connect_timeout(Duration::from_millis(20)).timeout(Duration::from_secs(3_600));
    let error = options.connect(format!("postgres://app@{address}/x?sslmode=disable")).await.unwrap_err();
    assert!(whole(&error).contains("no answer within 20ms"), "{}", whole(&error));
}

fn check_gone(error: &BackendError, server: &Server) {
    let text = whole(error);
    let nobody = format!("no PostgreSQL server answers at `{}`", server.place());
    assert!(error.is_transient(), "{text}");
    for part in ["no connection to PostgreSQL could be made for 500ms", &nobody] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_04_calls_do_not_wait_for_a_server_that_is_gone_and_say_so() {
    let limit = Duration::from_millis(500);
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    // Anything that waits for a statement or for the pool waits longer than the test may take.
    let options = PgOptions::new().connect_timeout(limit).timeout(Duration::from_secs(3_600));
    // A busy machine may take longer to connect.
    let backend = loop {
        if let Ok(backend) = options.clone().connect(server.url()).await {
            break backend;
        }
    };
    backend.ping(Duration::from_secs(60)).await.unwrap();
    server.crash();
    // The first calls find connections that are dead already.
    while backend.enqueue(vec![job("mail")]).await.is_err_and(|error| !whole(&error).contains("could be made")) {}
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let backend = backend.clone();
            tokio::spawn(async move { backend.enqueue(vec![job("mail")]).await })
        })
        .collect();
    for call in calls {
        check_gone(&call.await.unwrap().unwrap_err(), &server);
    }
    check_gone(&backend.query(&Filter::All(vec![]), 1).await.unwrap_err(), &server);
    check_gone(&backend.ping(limit).await.unwrap_err(), &server);
    check_gone(&Backend::ping(&std::sync::Arc::new(backend.clone()), limit).await.unwrap_err(), &server);
    server.resume();
    while backend.enqueue(vec![job("mail")]).await.is_err() {}
    backend.ping(Duration::from_secs(60)).await.unwrap();
}

/// A server that answers is not gone, however long its connections are in use.
#[tokio::test]
async fn case_04_a_pool_that_is_busy_is_waited_for_and_then_named() {
    in_schema(async |world| {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(2).acquire_timeout(Duration::from_millis(500));
        let pool = pool.connect(&world.url).await.unwrap();
        let backend: PgBackend = world.options().from_pool(pool.clone()).await.unwrap();
        let held = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        let error = backend.enqueue(vec![job("mail")]).await.unwrap_err();
        let text = whole(&error);
        assert!(text.contains("each of the 2 connections of the pool was in use for 500ms"), "{text}");
        assert!(error.is_transient());
        drop(held);
        let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
    })
    .await;
}
