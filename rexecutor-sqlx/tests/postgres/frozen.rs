//! Servers that have stopped doing anything, and keep their connections.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        Backend, BackendError, Claim, Enqueue, Filter, Inspect, Maintain, Outcome, ScheduleKey, Settle, Settlement,
    },
    clock::{Clock, SystemClock},
};
use rexecutor_sqlx::{PgBackend, PgOptions};
use sqlx::{Connection, PgConnection};

use crate::{
    listening::{listener, watching},
    log::Log,
    server::{Server, send},
    support::{claim, demands, in_schema, job, jobs, join, unique_job},
};

type Call = BoxFuture<'static, Result<(), BackendError>>;

/// Every kind of call.
async fn calls(backend: &PgBackend) -> Vec<(&'static str, Call)> {
    let node = join(backend).await;
    let _ = backend.enqueue(jobs("mail", 4)).await.unwrap();
    let claimed = claim(backend, node, "mail", 2).await.jobs;
    let outcomes = [Outcome::complete(true), Outcome::GiveBack].into_iter().zip(&claimed);
    let ends: Arc<[Settlement]> = outcomes.map(|(outcome, job)| Settlement::new(job.id, job.lease, outcome)).collect();
    macro_rules! call {
        ($name:literal, |$backend:ident| $call:expr) => {{
            let $backend = backend.clone();
            ($name, Box::pin(async move { $call.await.map(drop) }) as Call)
        }};
    }
    vec![
        call!("enqueue", |backend| backend.enqueue(jobs("mail", 3))),
        call!("enqueue beside it", |backend| backend.enqueue(jobs("mail", 3))),
        call!("enqueue a unique job", |backend| backend.enqueue(vec![unique_job("mail", 1)])),
        call!("enqueue many", |backend| backend.enqueue(jobs("mail", 3_500))),
        call!("claim", |backend| backend.claim(node, demands("mail", 1).into())),
        call!("settle", |backend| backend.settle(ends)),
        call!("heartbeat", |backend| backend.heartbeat(node)),
        call!("rescue", |backend| backend.rescue(&[])),
        call!("query", |backend| async move { backend.query(&Filter::All(vec![]), 1).await }),
        call!("schedules", |backend| async move { backend.schedules(&[ScheduleKey("a".to_owned())]).await }),
        call!("ping", |backend| Backend::ping(&backend, Duration::from_secs(1))),
    ]
}

/// Those that have a connection already, and those that wait for one.
#[tokio::test(flavor = "multi_thread")]
async fn case_38_calls_end_within_their_limit_though_all_of_the_server_is_frozen() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let limit = Duration::from_secs(2);
    for connect_limit in [Duration::from_millis(500), Duration::from_secs(3_600)] {
        let options = PgOptions::new().timeout(limit).connect_timeout(connect_limit).max_connections(3);
        let backend = options.connect(server.url()).await.unwrap();
        let calls = calls(&backend).await;
        server.freeze();
        let within = SystemClock.sleep(limit * 2);
        let calls: Vec<_> = calls.into_iter().map(|(name, call)| (name, tokio::spawn(call))).collect();
        let all = async {
            for (name, call) in calls {
                let error = call.await.unwrap().unwrap_err();
                let text = format!("{error:?}");
                assert!(error.is_transient(), "{name}: {text}");
                let reasons =
                    ["has not answered for 2s", "could be made for 500ms", "no answer within", ": each of the 3"];
                assert!(reasons.iter().any(|reason| text.contains(reason)), "{name}: {text}");
            }
        };
        tokio::select! {
            biased;
            () = all => {}
            // With a limit for each statement, or for each one that has its turn, they take three times as long.
            () = within => panic!("not all calls have ended"),
        }
        server.thaw();
        while backend.enqueue(vec![job("mail")]).await.is_err() {}
    }
}

#[tokio::test]
async fn case_38_a_frozen_process_that_listens_is_found_and_told_of_once() {
    in_schema(async |world| {
        let (log, _guard) = Log::begin();
        let backend = world.options().timeout(Duration::from_secs(3)).connect(&world.url).await.unwrap();
        let (wakeup, task) = watching(&backend);
        assert!(wakeup.listen().await.all);
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        let process = listener(&mut connection, &world.schema).await;
        send("-STOP", process);
        // What was said meanwhile is lost.
        assert!(wakeup.listen().await.all);
        let _ = world.another().await.enqueue(vec![job("mail")]).await.unwrap();
        assert!(wakeup.listen().await.executors.contains("mail"));
        task.abort();
        send("-CONT", process);
        let lines = log.lines("");
        assert!(
            matches!(&lines[..], [line] if line.starts_with("WARN") && line.contains("has not answered for 2s")),
            "{lines:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn case_38_a_call_that_waits_for_a_turn_has_one_limit() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let limit = Duration::from_secs(2);
    let backend = PgOptions::new().timeout(limit).max_connections(2).connect(server.url()).await.unwrap();
    let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
    server.freeze();
    let enqueue = || {
        let backend = backend.clone();
        tokio::spawn(async move { backend.enqueue(vec![job("mail")]).await.map(drop).unwrap_err() })
    };
    let first = enqueue();
    SystemClock.sleep(limit / 2).await;
    let (second, within) = (enqueue(), SystemClock.sleep(limit * 5 / 4));
    tokio::select! {
        biased;
        error = second => assert!(error.unwrap().is_transient()),
        () = within => panic!("it waits for its turn, and then again"),
    }
    assert!(first.await.unwrap().is_transient());
}
