//! What only the SQL of claims can get wrong.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rexecutor::{
    backend::{Claim, Due, Enqueue, JobRow, Maintain, Outcome, Scope, Settle, Settlement},
    clock::Clock,
    job::{JobId, JobStatus, NodeId},
};

use rexecutor_sqlx::PgBackend;
use rexecutor_testing::TestClock;
use sqlx::AssertSqlSafe;

use crate::support::{World, claim, demands, in_schema, job, jobs, join};

#[tokio::test(flavor = "multi_thread")]
async fn trap_34_claims_of_16_tasks_are_disjoint_and_complete() {
    in_schema(async |world| {
        let _ = world.backend.enqueue(jobs("mail", 10_000)).await.unwrap();
        let node = join(&world.backend).await;
        let claimers = (0..16).map(|number| {
            let backend = world.backend.clone();
            tokio::spawn(async move {
                let mut ids = Vec::new();
                loop {
                    let claimed = claim(&backend, node, "mail", 50 + number).await;
                    assert!(claimed.jobs.len() <= 50 + number);
                    if claimed.jobs.is_empty() {
                        return ids;
                    }
                    ids.extend(claimed.jobs.into_iter().map(|job| job.id));
                }
            })
        });
        let claimed: Vec<JobId> =
            futures::future::join_all(claimers).await.into_iter().flat_map(Result::unwrap).collect();
        assert_eq!(claimed.len(), 10_000);
        assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), 10_000);
    })
    .await;
}

/// Trap 31: a million future jobs of high priority stand in front of the due ones in the index.
#[tokio::test]
async fn trap_31_a_claim_reads_no_more_pages_however_many_future_jobs_there_are() {
    in_schema(async |world| {
        let (mut pages, node) = (Vec::new(), join(&world.backend).await);
        for future in [0, 100_000] {
            let insert = "INSERT INTO {schema}.jobs (executor, data, max_attempts, priority, scheduled_at, inserted_at)
                          SELECT 'mail', '{}', 1, n % 3, '2100-01-01', '2020-01-01' FROM generate_series(1, $N) AS n";
            world.sql(&insert.replace("$N", &future.to_string())).await;
            let _ = world.backend.enqueue(vec![job("mail").with_priority(7); 10]).await.unwrap();
            pages.push(pages_read_by_a_claim(world, node).await);
            let claimed = claim(&world.backend, node, "mail", 20).await;
            assert_eq!(claimed.jobs.len(), 10);
            assert_eq!(claimed.next_due_in.is_some(), future > 0);
        }
        // Three more priorities are looked up, each in an index that is a level or two higher.
        assert!(pages[1] < pages[0] + 100, "{pages:?} pages");
    })
    .await;
}

/// How many pages the statement of a claim reads, by the server's own account.
async fn pages_read_by_a_claim(world: &World, node: NodeId) -> i64 {
    let statements = world.backend.statements();
    let sql = &statements.iter().find(|(name, _)| *name == "claim_jobs").unwrap().1;
    let mut transaction = sqlx::PgPool::connect(&world.url).await.unwrap().begin().await.unwrap();
    sqlx::raw_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN (ANALYZE, BUFFERS) {sql}"));
    let query = sqlx::query_scalar::<_, String>(explain).bind(world.clock.now()).bind(node.0);
    let plan = query.bind(["mail"]).bind([20_i64]).fetch_all(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    // The first such line is that of the whole: `Buffers: shared hit=12 read=3 dirtied=1`.
    let buffers = plan.iter().find(|line| line.contains("Buffers: shared")).unwrap();
    let read = buffers.split(' ').filter_map(|word| word.strip_prefix("hit=").or(word.strip_prefix("read=")));
    read.map(|pages| pages.parse::<i64>().unwrap()).sum()
}

#[tokio::test]
async fn trap_3_a_settlement_under_an_old_lease_changes_nothing() {
    in_schema(async |world| {
        let _ = world.backend.enqueue(jobs("mail", 1)).await.unwrap();
        let node = join(&world.backend).await;
        let first = claim(&world.backend, node, "mail", 1).await.jobs.remove(0);
        let settle = async |lease, outcome| {
            world.backend.settle([Settlement::new(first.id, lease, outcome)].into()).await.unwrap()
        };
        assert_eq!(settle(first.lease, Outcome::GiveBack).await, []);
        let second = claim(&world.backend, node, "mail", 1).await.jobs.remove(0);
        assert_eq!(second.attempt, first.attempt);
        assert_eq!(settle(first.lease, Outcome::complete(true)).await, [(first.id, first.lease)]);
        assert_eq!(world.rows().await[0].status, JobStatus::Executing);
        assert_eq!(settle(second.lease, Outcome::complete(true)).await, []);
        assert_eq!(world.rows().await[0].status, JobStatus::Complete);
    })
    .await;
}

#[tokio::test]
async fn trap_9_a_row_that_cannot_be_read_is_quarantined_and_keeps_nobody_waiting() {
    in_schema(async |world| {
        let _ = world.backend.enqueue(jobs("mail", 3)).await.unwrap();
        world.sql("UPDATE {schema}.jobs SET priority = 70000 WHERE id = 1").await;
        world.sql("UPDATE {schema}.jobs SET finished_at = 'infinity' WHERE id = 2").await;
        world.sql("UPDATE {schema}.jobs SET attempt = 2147483647, lease = 9223372036854775807 WHERE id = 3").await;
        let node = join(&world.backend).await;
        let claimed = claim(&world.backend, node, "mail", 5).await;
        assert_eq!(claimed.jobs.iter().map(|job| job.id.as_i64()).collect::<Vec<_>>(), [3]);
        world.sql("UPDATE {schema}.jobs SET priority = 0 WHERE id = 1").await;
        let statuses: Vec<_> = world.rows().await.into_iter().map(|row| row.status).collect();
        assert_eq!(statuses, [JobStatus::Discarded, JobStatus::Discarded, JobStatus::Executing]);
    })
    .await;
}

#[tokio::test]
async fn trap_40_numbers_of_64_bits_and_microseconds_come_back() {
    in_schema(async |world| {
        world.sql("ALTER TABLE {schema}.jobs ALTER COLUMN id RESTART WITH 9007199254740993").await;
        let at = TestClock::START + TimeDelta::microseconds(1);
        let ids = world.backend.enqueue(vec![job("mail").with_due(Due::At(at))]).await.unwrap();
        assert_eq!(ids[0].id().as_i64(), 9_007_199_254_740_993);
        let node = join(&world.backend).await;
        let claimed = claim(&world.backend, node, "mail", 1).await;
        assert_eq!(claimed.next_due_in, Some(std::time::Duration::from_micros(1)));
        world.clock.set(at).await;
        let claimed = claim(&world.backend, node, "mail", 1).await.jobs;
        assert_eq!((claimed[0].id, claimed[0].scheduled_at), (ids[0].id(), at));
    })
    .await;
}

/// A claim that takes so long that the next one surely goes on where it ended: it waits for another session's lock.
pub(crate) async fn claim_slowly(world: &World, backend: &PgBackend, node: NodeId, free: usize) -> Vec<JobRow> {
    let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
    let mut blocker = pool.begin().await.unwrap();
    let lock = format!("LOCK TABLE \"{}\".jobs IN SHARE MODE", world.schema);
    sqlx::query(sqlx::AssertSqlSafe(lock)).execute(&mut *blocker).await.unwrap();
    let (backend, asked) = (backend.clone(), demands("mail", free));
    let claim = tokio::spawn(async move { backend.claim(node, asked.clone().into()).await.unwrap().jobs });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::REGCLASS";
    let relation = format!("\"{}\".jobs", world.schema);
    while sqlx::query_scalar::<_, i64>(waits).bind(&relation).fetch_one(&pool).await.unwrap() == 0 {}
    sqlx::query("SELECT pg_sleep(0.05)").execute(&pool).await.unwrap();
    blocker.commit().await.unwrap();
    claim.await.unwrap()
}

/// Claims of a long queue go on from where the last one ended, however many dead entries stand before; what came in behind
/// that place is claimed before a node is told that there is nothing more.
#[tokio::test]
async fn trap_30_what_comes_in_behind_a_claim_is_claimed_before_the_line_counts_as_empty() {
    in_schema(async |world| {
        let late = |priority| job("mail").with_priority(priority);
        let _ = world.backend.enqueue((0..300).map(|_| late(5)).collect()).await.unwrap();
        let node = join(&world.backend).await;
        assert_eq!(claim_slowly(world, &world.backend, node, 100).await.len(), 100);
        // Behind the place that was reached.
        let urgent = world.backend.enqueue(vec![late(0)]).await.unwrap()[0].id();
        let rest = claim(&world.backend, node, "mail", 1_000).await.jobs;
        assert_eq!(rest.len(), 201);
        assert_eq!(rest[0].id, urgent);
    })
    .await;
}

/// Claims that go on where the last one ended, across a change of priority, while another node takes some of the line.
#[tokio::test]
async fn a_long_line_is_claimed_in_its_order_and_each_job_once() {
    in_schema(async |world| {
        let with = |priority| job("mail").with_priority(priority);
        let _ = world.backend.enqueue((0..350).map(|number| with(if number < 100 { 7 } else { 3 })).collect()).await;
        // Beside them stand what is not due, and jobs of somebody else.
        let later = Due::In(TimeDelta::hours(1));
        let _ = world.backend.enqueue(vec![with(3).with_due(later); 50]).await.unwrap();
        let _ = world.backend.enqueue(vec![job("print").with_priority(3); 50]).await.unwrap();
        let (node, other) = (join(&world.backend).await, join(&world.backend).await);
        let mut claimed = claim(&world.backend, node, "mail", 100).await.jobs;
        let taken = claim(&world.backend, other, "mail", 20).await.jobs;
        for count in [100, 100, 30] {
            let more = claim(&world.backend, node, "mail", 100).await.jobs;
            assert_eq!(more.len(), count);
            claimed.extend(more);
        }
        assert!(claimed.is_sorted_by_key(|job| (job.priority, job.id)));
        assert!(claimed.iter().all(|job| job.executor.as_str() == "mail" && job.status == JobStatus::Executing));
        let ids: BTreeSet<_> = claimed.iter().chain(&taken).map(|job| job.id).collect();
        assert_eq!((ids.len(), claimed.len() + taken.len()), (350, 350));
    })
    .await;
}

/// A claim remembers where it left its rows; where somebody has moved them since, the right ones are completed.
#[tokio::test]
async fn a_completion_finds_its_job_wherever_that_stands_now() {
    in_schema(async |world| {
        let node = join(&world.backend).await;
        let _ = world.backend.enqueue(jobs("mail", 4)).await.unwrap();
        let claimed = claim(&world.backend, node, "mail", 4).await.jobs;
        // Each row moves up to where another stood.
        world.sql("DELETE FROM {schema}.jobs WHERE id = 1").await;
        world.sql("VACUUM FULL {schema}.jobs").await;
        let outcome = |keep| Outcome::complete(keep);
        let settlement = |job: &JobRow, keep| Settlement::new(job.id, job.lease, outcome(keep));
        let settlements = [settlement(&claimed[1], true), settlement(&claimed[2], false)];
        assert_eq!(world.backend.settle(settlements.clone().into()).await.unwrap(), []);
        let rows: Vec<_> = world.rows().await.iter().map(|row| (row.id.as_i64(), row.status)).collect();
        assert_eq!(rows, [(2, JobStatus::Complete), (4, JobStatus::Executing)]);
    })
    .await;
}

#[tokio::test]
async fn trap_4_rescue_leaves_jobs_of_live_nodes_and_finished_ones_alone() {
    in_schema(async |world| {
        let _ = world.backend.enqueue(jobs("mail", 3)).await.unwrap();
        let dead = join(&world.backend).await;
        let lost = claim(&world.backend, dead, "mail", 2).await.jobs;
        let live = join(&world.backend).await;
        let seen = world.backend.heartbeat(live).await.unwrap().others;
        let _ = claim(&world.backend, live, "mail", 1).await;
        let done = Settlement::new(lost[0].id, lost[0].lease, Outcome::complete(true));
        assert_eq!(world.backend.settle([done].into()).await.unwrap(), []);
        assert_eq!(world.backend.rescue(&seen).await.unwrap(), 1);
        let statuses: Vec<_> = world.rows().await.into_iter().map(|row| row.status).collect();
        assert_eq!(statuses, [JobStatus::Complete, JobStatus::Retryable, JobStatus::Executing]);
        assert!(!world.backend.heartbeat(dead).await.unwrap().member);
    })
    .await;
}

/// A settlement that waits for whoever changes its row decides by what it finds afterwards.
#[tokio::test]
async fn trap_8_a_settlement_that_races_with_a_change_is_decided_by_the_change() {
    in_schema(async |world| {
        let _ = world.backend.enqueue(jobs("mail", 2)).await.unwrap();
        let node = join(&world.backend).await;
        let claimed = claim(&world.backend, node, "mail", 2).await.jobs;
        let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
        let mut other = pool.begin().await.unwrap();
        for change in ["lease = lease + 1 WHERE id = 1", "marks = 1, cancel_reason = 'asked' WHERE id = 2"] {
            let sql = format!("UPDATE \"{}\".jobs SET {change}", world.schema);
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *other).await.unwrap();
        }
        let complete = |keep| move |job: &JobRow| Settlement::new(job.id, job.lease, Outcome::complete(keep));
        let settlements: Vec<_> = claimed.iter().map(complete(true)).collect();
        let backend = world.backend.clone();
        let settling = tokio::spawn(async move { backend.settle(settlements.clone().into()).await.unwrap() });
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
        let ours = format!("%\"{}\".jobs%", world.schema);
        while sqlx::query_scalar::<_, i64>(waits).bind(&ours).fetch_one(&pool).await.unwrap() == 0 {}
        other.commit().await.unwrap();
        assert_eq!(settling.await.unwrap(), [(claimed[0].id, claimed[0].lease)]);
        let statuses: Vec<_> = world.rows().await.into_iter().map(|row| row.status).collect();
        assert_eq!(statuses, [JobStatus::Executing, JobStatus::Cancelled]);
    })
    .await;
}

/// A node that reads the controls just now may be reading them as they were: so who has changed them waits for it.
#[tokio::test]
async fn a_node_that_reads_the_controls_while_they_change_reads_them_again() {
    in_schema(async |world| {
        let node = join(&world.backend).await;
        world.sql("UPDATE {schema}.nodes SET is_outdated = TRUE").await;
        let _ = world.backend.enqueue(jobs("mail", 1)).await.unwrap();
        let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
        // As the node does it.
        let mut reader = pool.begin().await.unwrap();
        let read = format!("UPDATE \"{}\".nodes SET is_outdated = FALSE", world.schema);
        sqlx::query(AssertSqlSafe(read)).execute(&mut *reader).await.unwrap();
        let backend = world.backend.clone();
        let pausing = tokio::spawn(async move {
            let control = rexecutor::backend::Backend::control(&backend).unwrap();
            control.pause(&Scope::Executor("mail".into()), rexecutor::backend::Pause::new("")).await.unwrap();
        });
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
        let ours = format!("%\"{}\".nodes%", world.schema);
        while sqlx::query_scalar::<_, i64>(waits).bind(&ours).fetch_one(&pool).await.unwrap() == 0 {
            assert!(!pausing.is_finished(), "it must wait");
        }
        reader.commit().await.unwrap();
        pausing.await.unwrap();
        assert_eq!(claim(&world.backend, node, "mail", 1).await.jobs, []);
    })
    .await;
}
