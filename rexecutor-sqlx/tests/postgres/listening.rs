//! The connection that listens, and what it must not do to the server.

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use rexecutor::backend::{Claim, Enqueue, Wakeup};
use rexecutor_sqlx::{PgBackend, PgOptions};
use sqlx::{Connection, PgConnection};

use crate::{
    log::Log,
    server::send,
    support::{World, fresh_name, in_schema, job},
};

pub(crate) fn watching(backend: &PgBackend) -> (Arc<Wakeup>, tokio::task::JoinHandle<String>) {
    let (wakeup, watcher) = (Arc::new(Wakeup::default()), backend.clone());
    let watched = wakeup.clone();
    let task = tokio::spawn(async move { watcher.watch(watched).await.unwrap_err().to_string() });
    (wakeup, task)
}

/// The server's process of the session that listens.
pub(crate) async fn listener(connection: &mut PgConnection, schema: &str) -> u32 {
    loop {
        let find = "SELECT pid FROM pg_stat_activity WHERE query = format('LISTEN %I', 'rexecutor:' || $1::TEXT)";
        let found: Option<i32> = sqlx::query_scalar(find).bind(schema).fetch_optional(&mut *connection).await.unwrap();
        if let Some(found) = found {
            return u32::try_from(found).unwrap();
        }
    }
}

/// … once it counts as working, so that it is made again at once: after a second, which its next words show.
pub(crate) async fn steady_listener(connection: &mut PgConnection, schema: &str) -> u32 {
    let process = listener(connection, schema).await;
    let spoke =
        "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state_change - backend_start > INTERVAL '1 s'";
    let pid = i32::try_from(process).unwrap();
    while sqlx::query_scalar::<_, i64>(spoke).bind(pid).fetch_one(&mut *connection).await.unwrap() == 0 {}
    process
}

/// More notices than fit between the server and a client that does not read.
async fn notify_much(connection: &mut PgConnection, schema: &str) {
    let channel = format!("rexecutor:{schema}");
    let notify = "SELECT count(pg_notify($1, lpad(number::TEXT, 7900, '.'))) FROM generate_series(1, 4000) AS number";
    sqlx::query(notify).bind(channel).execute(&mut *connection).await.unwrap();
}

/// Waits until every session that listens has been sent all notices.
async fn all_is_sent(connection: &mut PgConnection) {
    let usage = "SELECT pg_notification_queue_usage()";
    while sqlx::query_scalar::<_, f64>(usage).fetch_one(&mut *connection).await.unwrap() > 0.0 {}
}

/// Jobs that compute keep a runtime from reading anything.
#[tokio::test]
async fn case_38_a_blocked_runtime_does_not_keep_the_server_from_its_vacuum() {
    in_schema(async |world| {
        let (backend, schema) = (world.backend.clone(), world.schema.clone());
        let (listens, mut is_listening) = tokio::sync::mpsc::unbounded_channel();
        let (go_on, blocked) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (wakeup, task) = watching(&backend);
                assert!(wakeup.listen().await.all);
                listens.send(()).unwrap();
                blocked.recv().unwrap();
                task.abort();
            });
        });
        is_listening.recv().await.unwrap();
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        listener(&mut connection, &schema).await;
        notify_much(&mut connection, &schema).await;
        all_is_sent(&mut connection).await;
        go_on.send(()).unwrap();
        thread.join().unwrap();
    })
    .await;
}

const CHILD: &str = "REXECUTOR_TEST_LISTENER";

/// No test of its own: a process that listens.
#[tokio::test]
async fn child() {
    let Ok(schema) = std::env::var(CHILD) else { return };
    let options = PgOptions::new().schema(schema).timeout(Duration::from_secs(2));
    let backend = options.connect(crate::support::database_url()).await.unwrap();
    let _ = backend.watch(Arc::default()).await;
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn case_38_the_session_of_a_stopped_process_is_ended() {
    in_schema(async |world: &World| {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "listening::child", "--nocapture"])
            .env(CHILD, &world.schema)
            .stdout(Stdio::null())
            .spawn();
        let process = Process(child.unwrap());
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        let session = listener(&mut connection, &world.schema).await;
        send("-STOP", process.0.id());
        notify_much(&mut connection, &world.schema).await;
        let is_there = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
        let count = async |connection: &mut PgConnection| {
            let pid = i32::try_from(session).unwrap();
            sqlx::query_scalar::<_, i64>(is_there).bind(pid).fetch_one(connection).await.unwrap()
        };
        while count(&mut connection).await > 0 {}
    })
    .await;
}

#[tokio::test]
async fn case_38_idle_sessions_that_the_server_ends_are_not_those_that_listen() {
    in_schema(async |world| {
        let (log, _guard) = Log::begin();
        let role = fresh_name("rexecutor_idle");
        world.sql(&format!("CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET idle_session_timeout = '100ms'")).await;
        let (scheme, rest) = world.url.split_once("://").unwrap();
        let url = format!("{scheme}://{role}@{}", rest.split_once('@').unwrap().1);
        let backend = world.options().connect(url).await.unwrap();
        let (wakeup, task) = watching(&backend);
        assert!(wakeup.listen().await.all);
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        let session = listener(&mut connection, &world.schema).await;
        let idle = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND clock_timestamp() - state_change > INTERVAL '1 s'";
        let is_idle = async |connection: &mut PgConnection| {
            let pid = i32::try_from(session).unwrap();
            sqlx::query_scalar::<_, i64>(idle).bind(pid).fetch_one(connection).await.unwrap() > 0
        };
        while !is_idle(&mut connection).await {}
        let _ = world.another().await.enqueue(vec![job("mail")]).await.unwrap();
        assert!(wakeup.listen().await.executors.contains("mail"));
        task.abort();
        world.sql(&format!("DROP ROLE {role}")).await;
        assert_eq!(log.lines(""), [""; 0]);
    })
    .await;
}

/// As a firewall does it, or a proxy.
#[tokio::test]
async fn case_38_a_session_that_is_ended_is_made_again_at_once_and_told_of_once() {
    in_schema(async |world| {
        let (log, _guard) = Log::begin();
        let (wakeup, task) = watching(&world.backend);
        assert!(wakeup.listen().await.all);
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        for _ in 0..3 {
            let session = steady_listener(&mut connection, &world.schema).await;
            world.sql(&format!("SELECT pg_terminate_backend({session})")).await;
            assert!(wakeup.listen().await.all);
            let _ = world.another().await.enqueue(vec![job("mail")]).await.unwrap();
            assert!(wakeup.listen().await.executors.contains("mail"));
        }
        task.abort();
        assert_eq!(log.lines("").len(), 1, "{:?}", log.lines(""));
        assert_eq!(log.lines("was lost and made again").len(), 1);
    })
    .await;
}
