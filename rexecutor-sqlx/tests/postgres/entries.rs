//! What only the SQL of schedule entries can get wrong: how much it reads, and how many connections it takes.

use futures::future::join_all;
use rexecutor::{
    TimeDelta,
    backend::{Enqueue, EnqueueIn, Entries, Maintain, Outcome, Settle, Settlement},
    clock::Clock,
    schedule::{EntryAnswer, EntryStep, NewEntry, Schedule},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgPoolOptions};

use crate::support::{World, claim, in_schema, job, join, unique_job};

/// What the look for due entries reads, by the server's own account: pages, and the rows that it has found in tables.
async fn look_for_due_entries(world: &World) -> (i64, f64) {
    let statements = world.backend.statements();
    let sql = &statements.iter().find(|(name, _)| *name == "find_due_entries").unwrap().1;
    let mut transaction = sqlx::PgPool::connect(&world.url).await.unwrap().begin().await.unwrap();
    let settings = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off; \
                    SET LOCAL plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(settings).execute(&mut *transaction).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}"));
    let plan: Vec<String> =
        sqlx::query_scalar(explain).bind(world.clock.now()).fetch_all(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    let scans = |line: &&String| line.contains(" on schedule_entries");
    assert!(plan.iter().filter(scans).all(|line| line.contains("Index")), "{plan:#?}");
    // `Index Scan using … on schedule_entries (cost=…) (actual rows=3 loops=1)`
    let rows = plan.iter().filter(scans).filter_map(|line| line.split_once("actual rows="));
    let rows = rows.map(|(_, rest)| rest.split(' ').next().unwrap().parse::<f64>().unwrap()).sum();
    let buffers = plan.iter().find(|line| line.contains("Buffers: shared")).unwrap();
    let read = buffers.split(' ').filter_map(|word| word.strip_prefix("hit=").or(word.strip_prefix("read=")));
    (read.map(|pages| pages.parse::<i64>().unwrap()).sum(), rows)
}

/// However many entries there are, those that are due are looked up in an index.
#[tokio::test]
async fn a_look_for_due_entries_reads_as_many_rows_as_are_due() {
    in_schema(async |world| {
        let insert = "INSERT INTO {schema}.schedule_entries (name, due_at, last_at, entry)
                      SELECT 'entry ' || n, CASE WHEN n % 3000 = 0 THEN '2029-12-31' ELSE '2031-01-01' END::TIMESTAMPTZ,
                             '2029-12-30', repeat('{}', 300)
                      FROM generate_series(1, 10000) AS n";
        world.sql(insert).await;
        let (pages, rows) = look_for_due_entries(world).await;
        // The three, and the first of the others.
        assert!(rows <= 4.0 && pages < 40, "{rows} rows, {pages} pages");
        let due = world.backend.due().await.unwrap();
        assert_eq!(due.names, ["entry 3000", "entry 6000", "entry 9000"]);
    })
    .await;
}

/// Ticks whose jobs are unique may have to wait for an application's transaction that holds their key: they leave connections for
/// claims and outcomes, as other callers do.
#[tokio::test]
async fn case_34_ticks_that_wait_for_a_key_leave_connections_for_claims_and_outcomes() {
    in_schema(async |world| {
        let backend = world.options().max_connections(2).connect(&world.url).await.unwrap();
        let hourly = Schedule::parse("0 0 * * * *", "UTC").unwrap();
        let names: Vec<String> = (0..10).map(|number| format!("entry {number}")).collect();
        let put = |name: &String| EntryStep::put(name, "ann", NewEntry::new(hourly.clone(), &unique_job("mail", 1)));
        backend.step(names.iter().map(put).collect()).await.unwrap();
        world.clock.advance(TimeDelta::hours(1)).await;
        let mut application = PgPoolOptions::new().connect(&world.url).await.unwrap().begin().await.unwrap();
        let _ = backend.enqueue_in(&mut application, vec![unique_job("mail", 1)]).await.unwrap();
        let ticks: Vec<_> = names
            .iter()
            .map(|name| {
                let (backend, step) = (backend.clone(), EntryStep::tick(name));
                tokio::spawn(async move { backend.step(vec![step]).await.unwrap().remove(0) })
            })
            .collect();
        let mut look = PgConnection::connect(&world.url).await.unwrap();
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
        let ours = format!("%\"{}\".unique_keys%", world.schema);
        while sqlx::query_scalar::<_, i64>(waiting).bind(&ours).fetch_one(&mut look).await.unwrap() == 0 {}
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
        for answer in join_all(ticks).await {
            let EntryAnswer::Ticked(ticked) = answer.unwrap() else { panic!("each is there") };
            assert_eq!(ticked.enqueued.len(), 1);
        }
        let mails = world.rows().await.iter().filter(|row| row.executor.as_str() == "mail").count();
        assert_eq!(mails, 1, "all of one key");
    })
    .await;
}
