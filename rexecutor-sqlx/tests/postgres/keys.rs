//! What only the SQL of keys can get wrong: how much it reads.

use rexecutor::{
    backend::{Claim, ClusterLimits, Demand, Enqueue, NewJob, OnDiscard, Rate},
    clock::Clock,
    job::NodeId,
};
use sqlx::AssertSqlSafe;

use crate::support::{World, in_schema, job, join};

fn keyed(key: &str) -> NewJob {
    job("mail").with_group_key(key.to_owned())
}

async fn claim(world: &World, node: NodeId, most: usize) -> Vec<Option<String>> {
    let demand = Demand::new("mail", most).with_cluster_limits(ClusterLimits::NONE.with_per_key(Some(1)));
    let jobs = world.backend.claim(node, [demand].into()).await.unwrap().jobs;
    jobs.into_iter().map(|job| job.extras.group_key.clone()).collect()
}

/// How many pages the walk of a claim for 20 jobs reads, by the server's own account.
async fn pages_read_by_a_walk(world: &World, ordered: bool) -> i64 {
    pages_read_by(world, if ordered { "walk_lines" } else { "walk_keys" }).await
}

async fn pages_read_by(world: &World, name: &str) -> i64 {
    let statements = world.backend.statements();
    let sql = &statements.iter().find(|(known, _)| *known == name).unwrap().1;
    let mut transaction = sqlx::PgPool::connect(&world.url).await.unwrap().begin().await.unwrap();
    let settings = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off; \
                    SET LOCAL plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(settings).execute(&mut *transaction).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN (ANALYZE, BUFFERS) {sql}"));
    let query = sqlx::query_scalar::<_, String>(explain).bind(world.clock.now()).bind("mail").bind(20_i64);
    // Of the keys, how many of one may run.
    let query = if name.ends_with("lines") || name == "walk_queue" { query } else { query.bind(1_i64) };
    // Of a queue, in how many microseconds a job of it rises, and else how many jobs without a key to look at.
    let last = if name == "walk_queue" { 60_000_000 } else { 64 };
    let query = query.bind(1_000_i64).bind(last);
    // Of the rate of each key, the interval and the burst.
    let query = if name.contains("rated") { query.bind(1_000_000_i64).bind(10_i64) } else { query };
    let plan = query.fetch_all(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    // The first such line is that of the whole: `Buffers: shared hit=12 read=3 dirtied=1`.
    let buffers = plan.iter().find(|line| line.contains("Buffers: shared")).unwrap();
    let read = buffers.split(' ').filter_map(|word| word.strip_prefix("hit=").or(word.strip_prefix("read=")));
    let pages = read.map(|pages| pages.parse::<i64>().unwrap()).sum();
    assert!(pages < 2_000, "{pages} pages: {plan:#?}");
    pages
}

/// However many jobs of one full key wait, and however many keys there are, a claim reads as few pages.
#[tokio::test]
async fn a_claim_reads_no_more_pages_however_many_jobs_and_keys_wait() {
    in_schema(async |world| {
        let node = join(&world.backend).await;
        let _ = world.backend.enqueue(["a", "b", "c", "d"].map(keyed).into()).await.unwrap();
        let _ = claim(world, node, 1).await;
        let few = pages_read_by_a_walk(world, false).await;
        let insert = "INSERT INTO {schema}.jobs (executor, data, max_attempts, priority, scheduled_at, inserted_at, group_key)
                      SELECT 'mail', '{}', 1, n % 3, '2000-01-01', '2000-01-01', KEY FROM generate_series(1, 100000) AS n";
        world.sql(&insert.replace("KEY", "'a'")).await;
        let flood = pages_read_by_a_walk(world, false).await;
        world.sql(&insert.replace("KEY", "'k' || n")).await;
        let keys = pages_read_by_a_walk(world, false).await;
        world.sql(&insert.replace("KEY", "'l' || n").replace("'2000-01-01', '2000", "'2100-01-01', '2000")).await;
        let idle = pages_read_by_a_walk(world, false).await;
        assert!([flood, keys, idle].iter().all(|pages| *pages < few + 600), "{few}, {flood}, {keys}, {idle} pages");
        let keys = claim(world, node, 20).await;
        let mut keys: Vec<_> = keys.into_iter().flatten().collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!((keys.len(), &keys[..3]), (20, ["b", "c", "d"].map(str::to_owned).as_slice()), "each in its turn");
    })
    .await;
}

/// Also where each key has many jobs, and the server's statistics are of when the table was empty: an index in another order, which is less
/// deep where keys are long, would be read to its end for each key.
#[tokio::test]
async fn case_14_2_a_claim_reads_no_more_pages_where_nothing_was_analyzed() {
    for (name, line) in [("walk_keys", "NULL"), ("walk_rated_keys", "NULL"), ("walk_lines", "0")] {
        in_schema(async |world| {
            world.sql("ALTER TABLE {schema}.jobs SET (autovacuum_enabled = false)").await;
            world.sql("ANALYZE {schema}.jobs").await;
            let node = join(&world.backend).await;
            let _ = world.backend.enqueue(["a", "b", "c", "d"].map(keyed).into()).await.unwrap();
            let _ = claim(world, node, 1).await;
            let few = pages_read_by(world, name).await;
            let insert = "INSERT INTO {schema}.jobs
                              (executor, data, max_attempts, priority, scheduled_at, inserted_at, group_key, line)
                          SELECT 'mail', '{}', 1, 0, '2000-01-01', '2000-01-01', repeat('k', 60) || n % 1000, LINE
                          FROM generate_series(1, 20000) AS n";
            world.sql(&insert.replace("LINE", line)).await;
            let many = pages_read_by(world, name).await;
            assert!(many < few + 600, "{name}: {few}, {many} pages");
        })
        .await;
    }
}

/// Nor where each key has a rate of its own, however many buckets are kept.
#[tokio::test]
async fn case_14_4_a_claim_reads_no_more_pages_however_many_buckets_are_kept() {
    in_schema(async |world| {
        let node = join(&world.backend).await;
        let _ = world.backend.enqueue(["a", "b", "c", "d"].map(keyed).into()).await.unwrap();
        let _ = claim(world, node, 1).await;
        let few = pages_read_by(world, "walk_rated_keys").await;
        let insert = "INSERT INTO {schema}.jobs (executor, data, max_attempts, priority, scheduled_at, inserted_at, group_key)
                      SELECT 'mail', '{}', 1, n % 3, '2000-01-01', '2000-01-01', 'k' || n FROM generate_series(1, 100000) AS n";
        world.sql(insert).await;
        let buckets = "INSERT INTO {schema}.key_buckets (executor, key, full_at)
                       SELECT 'mail', 'k' || n, n FROM generate_series(1, 100000) AS n";
        world.sql(buckets).await;
        let many = pages_read_by(world, "walk_rated_keys").await;
        assert!(many < few + 800, "{few}, {many} pages");
        let rate = Rate::new(1, std::time::Duration::from_secs(1));
        let demand = Demand::new("mail", 20).with_cluster_limits(ClusterLimits::NONE.with_key_rate(Some(rate)));
        let other = join(&world.backend).await;
        assert_eq!(world.backend.claim(other, [demand].into()).await.unwrap().jobs.len(), 20);
        let count = AssertSqlSafe(format!("SELECT count(*) FROM \"{}\".key_buckets", world.schema));
        let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
        let left: i64 = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
        assert!((99_900..=99_920).contains(&left), "those of full buckets go, a hundred with each claim: {left}");
    })
    .await;
}

/// Nor where jobs rise as they wait, however many do.
#[tokio::test]
async fn case_14_7_a_claim_reads_no_more_pages_however_many_jobs_rise() {
    in_schema(async |world| {
        let node = join(&world.backend).await;
        let demand = |most| {
            let minute = Some(std::time::Duration::from_secs(60));
            Demand::new("mail", most).with_cluster_limits(ClusterLimits::NONE.with_aging(minute))
        };
        let _ = world.backend.enqueue(vec![job("mail"); 3]).await.unwrap();
        let _ = world.backend.claim(node, [demand(1)].into()).await.unwrap();
        let few = pages_read_by(world, "walk_queue").await;
        let insert = "INSERT INTO {schema}.jobs (executor, data, max_attempts, priority, scheduled_at, inserted_at)
                      SELECT 'mail', '{}', 1, n % 10, '2000-01-01', '2000-01-01' FROM generate_series(1, 100000) AS n";
        world.sql(insert).await;
        // A damaged row keeps nobody from the others.
        world.sql("UPDATE {schema}.jobs SET priority = 2147483647 WHERE id = 5").await;
        let many = pages_read_by(world, "walk_queue").await;
        assert!(many < few + 800, "{few}, {many} pages");
        assert_eq!(world.backend.claim(node, [demand(20)].into()).await.unwrap().jobs.len(), 20);
    })
    .await;
}

/// However many jobs of a line that halts wait, and however many lines there are, a claim in order reads as few pages.
#[tokio::test]
async fn case_14_3_a_claim_in_order_reads_no_more_pages_however_many_lines_wait() {
    in_schema(async |world| {
        let node = join(&world.backend).await;
        let in_line = |key: &str| keyed(key).with_order(OnDiscard::Halt);
        let _ = world.backend.enqueue(["a", "b", "c", "d"].map(in_line).into()).await.unwrap();
        let demand = |most| Demand::new("mail", most).with_cluster_limits(ClusterLimits::NONE.with_ordered(true));
        let _ = world.backend.claim(node, [demand(1)].into()).await.unwrap();
        world.sql("UPDATE {schema}.jobs SET status = 'discarded', node = NULL WHERE status = 'executing'").await;
        let few = pages_read_by_a_walk(world, true).await;
        let insert = "INSERT INTO {schema}.jobs
                          (executor, data, max_attempts, priority, scheduled_at, inserted_at, group_key, line)
                      SELECT 'mail', '{}', 1, n % 3, '2000-01-01', '2000-01-01', KEY, 1
                      FROM generate_series(1, 100000) AS n";
        world.sql(&insert.replace("KEY", "'a'")).await;
        let flood = pages_read_by_a_walk(world, true).await;
        world.sql(&insert.replace("KEY", "'k' || n")).await;
        let lines = pages_read_by_a_walk(world, true).await;
        world.sql(&insert.replace("KEY", "'l' || n").replace("'2000-01-01', '2000", "'2100-01-01', '2000")).await;
        let idle = pages_read_by_a_walk(world, true).await;
        assert!([flood, lines, idle].iter().all(|pages| *pages < few + 800), "{few}, {flood}, {lines}, {idle} pages");
        let jobs = world.backend.claim(node, [demand(20)].into()).await.unwrap().jobs;
        let mut keys: Vec<_> = jobs.into_iter().filter_map(|job| job.extras.group_key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!((keys.len(), &keys[..3]), (20, ["b", "c", "d"].map(str::to_owned).as_slice()), "`a` halts");
    })
    .await;
}
