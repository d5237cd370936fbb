//! Events between processes on one server, and what becomes of them when a transaction is late or a listener silent.

use std::time::Duration;

use rexecutor::{
    backend::{
        Enqueue, EnqueueIn, EventKind, EventReader, EventRow, Events, Maintain, Outcome, Settle, Settlement, events,
    },
    clock::{Clock, SystemClock},
    events::Event,
    job::JobId,
};
use rexecutor_sqlx::{PgBackend, PgOptions};
use sqlx::{Connection, PgConnection};

use crate::{
    events_of_others::{follow, ids, listen, next, work},
    process::{Process, role},
    support::{World, claim, in_schema, job, jobs, join},
};

/// No test of its own: what the process of another one does.
#[tokio::test]
async fn child() {
    let Some((role, schema)) = role() else { return };
    assert_eq!(role, "work");
    work(connect(&schema).await).await;
}

/// A backend that goes by the real time.
async fn connect(schema: &str) -> PgBackend {
    PgOptions::new().schema(schema).connect(&crate::support::database_url()).await.unwrap()
}

impl World {
    async fn count(&self, table: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let sql = format!("SELECT count(*) FROM \"{}\".{table}", self.schema);
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        count
    }

    /// Waits until a table has so many rows.
    async fn until(&self, table: &str, count: i64) {
        while self.count(table).await != count {
            SystemClock.sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn read(reader: &mut Box<dyn EventReader + '_>) -> Vec<EventRow> {
    let page = reader.read(1_000).await.unwrap();
    assert!(!page.has_lost);
    page.events
}

fn shown(events: &[EventRow]) -> Vec<(EventKind, i64)> {
    events.iter().map(|event| (event.kind, event.job.map_or(0, JobId::as_i64))).collect()
}

#[tokio::test]
async fn what_another_process_does_is_heard_and_written_only_while_somebody_listens() {
    in_schema(async |world| {
        let mut process = Process::start("events::child", "work", &world.schema);
        assert_eq!(process.next().as_deref(), Some("works"));
        let backend = connect(&world.schema).await;
        let mut stream = listen(&backend).await;
        follow(&backend, &mut stream).await;
        let others = [listen(&backend).await, listen(&connect(&world.schema).await).await];
        follow(&backend, &mut stream).await;
        assert_eq!(world.count("listeners").await, 2, "one of each process");
        let [one, other] = others;
        assert_eq!(ids(one, 1).await, ids(other, 1).await);
        drop(stream);
        // As soon as the last stream is dropped, and all is read.
        world.until("listeners", 0).await;
        world.until("events", 0).await;
    })
    .await;
}

/// Numbers are given before a transaction commits: what it has done is read when it does, wherever others have got meanwhile.
#[tokio::test]
async fn what_commits_late_is_read_then_and_once() {
    in_schema(async |world| {
        let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
        let node = join(&world.backend).await;
        let mut reader = world.backend.listen(None).await.unwrap();
        let mut late = pool.begin().await.unwrap();
        let first = world.backend.enqueue_in(&mut late, vec![job("late")]).await.unwrap()[0].id().as_i64();
        let second = world.backend.enqueue(vec![job("mail")]).await.unwrap()[0].id().as_i64();
        let runs = claim(&world.backend, node, "mail", 1).await.jobs;
        let expected = [(EventKind::Enqueued, second), (EventKind::Started, second)];
        assert_eq!(shown(&read(&mut reader).await), expected);
        late.commit().await.unwrap();
        assert_eq!(shown(&read(&mut reader).await), [(EventKind::Enqueued, first)]);
        // The same for an event: that of a transaction that has taken its number and waits.
        let mut late = pool.begin().await.unwrap();
        let tell = format!(
            "INSERT INTO \"{}\".events (at, kind, job, executor, attempt) VALUES (now(), 'updated', {second}, 'mail', 1)",
            world.schema
        );
        sqlx::query(sqlx::AssertSqlSafe(tell)).execute(&mut *late).await.unwrap();
        let end = Settlement::new(runs[0].id, runs[0].lease, Outcome::complete(true));
        assert!(world.backend.settle([end].into()).await.unwrap().is_empty());
        assert_eq!(shown(&read(&mut reader).await), [(EventKind::Completed, second)]);
        late.commit().await.unwrap();
        assert_eq!(shown(&read(&mut reader).await), [(EventKind::Updated, second)]);
        assert_eq!(read(&mut reader).await, []);
        // What is rolled back has not happened.
        let mut never = pool.begin().await.unwrap();
        world.backend.enqueue_in(&mut never, vec![job("never")]).await.unwrap();
        never.rollback().await.unwrap();
        assert_eq!(read(&mut reader).await, []);
        reader.end().await.unwrap();
        pool.close().await;
    })
    .await;
}

/// A listener that was not heard for as long as it counts as one is told that it has lost something, and goes on from there.
#[tokio::test]
async fn a_listener_that_was_silent_is_told_so() {
    in_schema(async |world| {
        let backend = connect(&world.schema).await;
        let mut stream = listen(&backend).await;
        let node = join(&backend).await;
        world.sql("UPDATE {schema}.listeners SET until_at = clock_timestamp() - INTERVAL '1 second'").await;
        assert!(backend.heartbeat(node).await.unwrap().member, "it learns that nobody listens");
        backend.enqueue(jobs("work", 1)).await.unwrap();
        let runs = claim(&backend, node, "work", 1).await.jobs;
        assert_eq!(world.count("events").await, 1, "but where the listener has begun");
        // It finds that out when it says that it is alive.
        loop {
            match stream.next().await.unwrap().unwrap() {
                Event::Lagged { missed, .. } => break assert_eq!(missed, None),
                Event::Job(changed) => assert_eq!(changed.change.kind(), EventKind::Enqueued),
                other => panic!("{other:?}"),
            }
        }
        let end = Settlement::new(runs[0].id, runs[0].lease, Outcome::complete(true));
        assert!(backend.settle([end].into()).await.unwrap().is_empty());
        assert_eq!(next(&mut stream).await.change.kind(), EventKind::Completed);
    })
    .await;
}

/// The table has a bound, and a listener that is too far behind goes on with the present.
#[tokio::test]
async fn events_that_nobody_reads_are_bounded() {
    in_schema(async |world| {
        let mut reader = events(&world.backend).unwrap().listen(None).await.unwrap();
        world
            .sql(
                "INSERT INTO {schema}.events (at, kind, job, executor, attempt)
                 SELECT now(), 'updated', 1, 'mail', 1 FROM generate_series(1, 101000)",
            )
            .await;
        assert!(reader.read(1_000).await.unwrap().has_lost);
        assert_eq!(read(&mut reader).await, []);
        world.backend.enqueue(jobs("mail", 1)).await.unwrap();
        assert_eq!(shown(&read(&mut reader).await).len(), 1);
        // Each time it says that it is alive some of what is read is deleted, and what is too much.
        for attended in 1..=12 {
            reader.attend(None).await.unwrap();
            let left = world.count("events").await;
            assert!(left <= (101_001 - 10_000 * attended).max(0), "{left}");
        }
        reader.end().await.unwrap();
        assert_eq!(world.count("listeners").await, 0);
    })
    .await;
}
