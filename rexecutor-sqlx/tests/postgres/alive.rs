//! A node that lives is heard, whatever its jobs hold: the runtime, its threads, the connections of the pool.

use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use futures::future::join_all;
use rexecutor::{
    backend::{Enqueue, EnqueueIn, Enqueued, Maintain, Node, Outcome, Settle, Settlement},
    job::JobStatus,
    prelude::*,
};
use rexecutor_sqlx::{PgBackend, PgOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgPoolOptions};
use tokio::{runtime::Builder, sync::mpsc::UnboundedSender};

use crate::support::{World, claim, fresh_name, in_schema, job, join, unique_job};

/// The address of the server, by the name of its host, and under a name for the sessions.
fn address(world: &World, name: &str) -> String {
    let with = if world.url.contains('?') { '&' } else { '?' };
    format!("{}{with}application_name={name}", world.url.replace("127.0.0.1", "localhost"))
}

async fn count(connection: &mut PgConnection, sql: &str, like: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).bind(like.to_owned()).fetch_one(connection).await.unwrap()
}

async fn sessions(connection: &mut PgConnection, name: &str) -> i64 {
    count(connection, "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", name).await
}

type Leave = Arc<Mutex<mpsc::Receiver<()>>>;

/// Takes the one thread for blocking work, and the one of the runtime.
#[job]
async fn takes_all(State(begun): State<UnboundedSender<()>>, State(leave): State<Leave>) {
    let (taken, is_taken) = tokio::sync::oneshot::channel();
    let held = leave.clone();
    tokio::task::spawn_blocking(move || {
        taken.send(()).unwrap();
        held.lock().unwrap().recv()
    });
    is_taken.await.unwrap();
    begun.send(()).unwrap();
    let _ = leave.lock().unwrap().recv();
}

/// All connections are cut while nothing of the runtime is free, not even a thread to look up the name of the host.
#[tokio::test]
async fn case_12_a_node_whose_connections_are_cut_is_heard_while_its_jobs_hold_everything() {
    in_schema(async |world| {
        let name = fresh_name("alive");
        let (url, options) = (address(world, &name), PgOptions::new().schema(&world.schema));
        let ((leave, waiting), (begun, mut begins)) = (mpsc::channel(), tokio::sync::mpsc::unbounded_channel::<()>());
        let node = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
            runtime.block_on(async {
                let backend = options.connect(url).await.unwrap();
                let _ = TakesAll::builder().enqueue_to_backend(&backend).await.unwrap();
                let node = Rexecutor::builder().with_backend(backend).with_node_timeout(Duration::from_millis(200));
                let node = node.with_state(begun).with_state::<Leave>(Arc::new(Mutex::new(waiting)));
                node.with_executor::<TakesAll>().start().await.unwrap().run_until_idle().await;
            });
        });
        begins.recv().await.unwrap();
        let mut look = PgConnection::connect(&world.url).await.unwrap();
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
        assert!(count(&mut look, cut, &name).await > 1, "the pool's, and the node's own");
        let beats = format!("SELECT coalesce(max(beats), 0) FROM \"{}\".nodes WHERE label LIKE $1", world.schema);
        let before = count(&mut look, &beats, "%").await;
        while count(&mut look, &beats, "%").await < before + 5 {}
        drop(leave);
        node.join().unwrap();
        let rows = world.rows().await;
        assert!(rows.iter().all(|row| row.status == JobStatus::Complete && row.lease.0 == 1), "{rows:?}");
    })
    .await;
}

/// An application's pool, of which it has taken everything.
#[tokio::test]
async fn case_34_what_keeps_a_node_alive_needs_no_connection_of_the_pool() {
    in_schema(async |world| {
        let pool = PgPoolOptions::new().max_connections(2).connect(&world.url).await.unwrap();
        let backend = world.options().from_pool(pool.clone()).await.unwrap();
        let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
        let dead = join(&backend).await;
        assert_eq!(claim(&backend, dead, "mail", 1).await.jobs.len(), 1);
        let taken = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
        let node = join(&backend).await;
        let others = backend.heartbeat(node).await.unwrap().others;
        assert_eq!(others.len(), 1);
        assert_eq!(backend.rescue(&others).await.unwrap(), 1);
        backend.leave(node).await.unwrap();
        assert!(!backend.heartbeat(node).await.unwrap().member);
        drop(taken);
    })
    .await;
}

/// Waits until a caller waits for the key that a transaction holds.
async fn somebody_waits_for_a_key(world: &World, look: &mut PgConnection) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
    while count(look, waiting, &format!("%\"{}\".unique_keys%", world.schema)).await == 0 {}
}

/// An application's transaction holds a unique key, and many callers wait for it.
#[tokio::test]
async fn case_34_callers_that_wait_for_a_key_leave_connections_for_claims_and_outcomes() {
    in_schema(async |world| {
        let backend = world.options().max_connections(2).connect(&world.url).await.unwrap();
        let mut application = PgPoolOptions::new().connect(&world.url).await.unwrap().begin().await.unwrap();
        let held = backend.enqueue_in(&mut application, vec![unique_job("mail", 1)]).await.unwrap();
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let backend = backend.clone();
                tokio::spawn(async move { backend.enqueue(vec![unique_job("mail", 1)]).await.unwrap()[0] })
            })
            .collect();
        let mut look = PgConnection::connect(&world.url).await.unwrap();
        somebody_waits_for_a_key(world, &mut look).await;
        // All ten are asking by now.
        for _ in 0..3 {
            let id = backend.enqueue(vec![job("print")]).await.unwrap()[0].id();
            let node = join(&backend).await;
            assert!(backend.heartbeat(node).await.unwrap().member);
            let run = claim(&backend, node, "print", 1).await.jobs.remove(0);
            assert_eq!(run.id, id);
            let done = Settlement::new(run.id, run.lease, Outcome::complete(true));
            assert_eq!(backend.settle([done].into()).await.unwrap(), []);
        }
        application.commit().await.unwrap();
        for answer in join_all(callers).await {
            assert_eq!(answer.unwrap(), Enqueued::Existing(held[0].id()));
        }
    })
    .await;
}

/// Who waits for its turn for as long as a statement may take is told why.
#[tokio::test]
async fn case_34_a_caller_that_gets_no_turn_to_wait_is_told_why() {
    in_schema(async |world| {
        let options = world.options().max_connections(2);
        let holder = options.clone().connect(&world.url).await.unwrap();
        let hasty = options.timeout(Duration::from_secs(2)).connect(&world.url).await.unwrap();
        let mut application = PgPoolOptions::new().connect(&world.url).await.unwrap().begin().await.unwrap();
        let _ = holder.enqueue_in(&mut application, vec![unique_job("mail", 1)]).await.unwrap();
        let callers = (0..4).map(|_| hasty.enqueue(vec![unique_job("mail", 1)]));
        let errors: Vec<_> = join_all(callers).await.into_iter().map(Result::unwrap_err).collect();
        assert!(errors.iter().all(|error| error.is_transient()), "{errors:?}");
        assert!(errors.iter().any(|error| format!("{error:?}").contains("waiting for unique keys")), "{errors:?}");
    })
    .await;
}

#[tokio::test]
async fn the_connection_of_a_node_is_closed_when_it_leaves_and_with_the_backend() {
    in_schema(async |world| {
        let name = fresh_name("leaves");
        let mut look = PgConnection::connect(&world.url).await.unwrap();
        let backend: PgBackend = world.options().max_connections(1).connect(address(world, &name)).await.unwrap();
        let pooled = sessions(&mut look, &name).await;
        for _ in 0..2 {
            let node = join(&backend).await;
            assert_eq!(sessions(&mut look, &name).await, pooled + 1);
            backend.leave(node).await.unwrap();
            while sessions(&mut look, &name).await > pooled {}
        }
        backend.join(&Node::new("", Duration::from_secs(9))).await.unwrap();
        drop(backend);
        while sessions(&mut look, &name).await > 0 {}
    })
    .await;
}
