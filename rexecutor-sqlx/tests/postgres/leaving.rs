//! Real processes that end while the database is away, or before they have begun.

use std::time::Duration;

use rexecutor::{
    clock::{Clock, SystemClock},
    node::GlobalSet,
    prelude::*,
};
use rexecutor_sqlx::{PgBackend, PgOptions};
use sqlx::{Connection, PgConnection, Row};
use tokio::net::TcpListener;

use crate::{
    process::{Process, role, say},
    server::Server,
    support::in_schema,
};

const HOUR: Duration = Duration::from_secs(3_600);

#[job]
async fn works() {}

async fn start(backend: PgBackend) -> Rexecutor<GlobalSet> {
    let node = Rexecutor::builder().with_backend(backend).with_executor::<Works>().with_node_timeout(HOUR);
    node.with_shutdown_grace(HOUR).with_poll_interval(HOUR).start().await.unwrap()
}

/// No test of its own: what the processes of the others do.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some((role, argument)) = role() else { return };
    say(std::process::id());
    let (url, schema) = argument.split_once(' ').unwrap();
    // Whatever waits for one of these waits longer than a test may take.
    let options = PgOptions::new().schema(schema).connect_timeout(HOUR).timeout(HOUR);
    let backend = options.connect(url).await.unwrap();
    match role.as_str() {
        "idle" => {
            let mut running = Box::pin(start(backend).await.run_until_signal());
            // Signals are heard from here on.
            assert!(futures::poll!(&mut running).is_pending());
            // It says so when it has joined, and has nothing to do any more.
            Works::enqueue(()).await.unwrap();
            while Works::query_jobs(Where::status_equals(JobStatus::Complete)).await.unwrap().is_empty() {
                SystemClock.sleep(Duration::from_millis(1)).await;
            }
            say("idle");
            running.await;
        }
        "starts" => {
            let node = start(backend).await;
            say("started");
            node.run_until_signal().await;
        }
        _ => panic!("no role {role:?}"),
    }
    say("left");
}

const CHILD: &str = "leaving::child";

/// Case 16: an idle node ended after 31 s. Each limit is an hour here.
#[tokio::test(flavor = "multi_thread")]
async fn case_16_an_idle_process_ends_at_once_while_the_database_is_away() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let mut process = Process::start(CHILD, "idle", &format!("{} rexecutor", server.url()));
    while process.next().unwrap() != "idle" {}
    server.crash();
    process.signal("TERM");
    assert_eq!(process.next().as_deref(), Some("left"));
    assert!(process.end().success());
}

/// Case 48: the operating system ignores SIGTERM for process 1 until somebody has asked for it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn case_48_process_1_ends_at_a_signal_while_it_connects() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://app@{}/x?sslmode=disable", silent.local_addr().unwrap());
    let process = Process::start_as_1(CHILD, "starts", &format!("{url} rexecutor"));
    let _connection = silent.accept().await.unwrap();
    process.signal("TERM");
    assert_eq!(process.end().code(), Some(128 + 15));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn case_48_process_1_ends_at_a_signal_while_it_joins_and_leaves_no_node_behind() {
    in_schema(async |world| {
        for _ in 0..3 {
            let mut holding = PgConnection::connect(&world.url).await.unwrap();
            let mut transaction = holding.begin().await.unwrap();
            let nodes = format!("\"{}\".nodes", world.schema);
            let lock = format!("LOCK TABLE {nodes} IN SHARE ROW EXCLUSIVE MODE");
            sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut *transaction).await.unwrap();
            let mut process = Process::start_as_1(CHILD, "starts", &format!("{} {}", world.url, world.schema));
            assert_eq!(process.next().as_deref(), Some("started"));
            process.signal("TERM");
            // Its join waits, or has not come yet.
            transaction.commit().await.unwrap();
            assert_eq!(process.next().as_deref(), Some("left"));
            assert!(process.end().success());
            let count = format!("SELECT count(*) FROM {nodes}");
            let left: i64 = sqlx::query(sqlx::AssertSqlSafe(count)).fetch_one(&mut holding).await.unwrap().get(0);
            assert_eq!(left, 0);
        }
    })
    .await;
}
