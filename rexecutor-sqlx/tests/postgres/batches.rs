//! Batches on a server that two processes use.

use std::time::Duration;

use rexecutor::{
    backend::{Backend, flows},
    batches::{Batch, Threshold},
    clock::{Clock, SystemClock},
};
use rexecutor_sqlx::PgOptions;

use crate::{
    batches_of_two::ended_by_two_nodes,
    support::{claim, in_schema, job, join},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_15_5_two_processes_end_the_last_jobs_of_batches() {
    in_schema(async |world| ended_by_two_nodes(&world.backend, &world.another().await).await).await;
}

/// A process dies when its jobs' ends are committed and before it has decided about their batch: any node finds that.
#[tokio::test]
async fn case_15_5_a_look_finds_batches_about_which_a_dead_process_has_not_decided() {
    in_schema(async |world| {
        let batch = Batch::new("lost").jobs([job("mail"), job("mail")]).on_finished(job("tell"));
        let batch = batch.enqueue_to_backend(&world.backend).await.unwrap();
        let open = Batch::new("open").jobs([job("later")]).on_finished(job("tell"));
        let open = open.enqueue_to_backend(&world.backend).await.unwrap();
        let node = join(&world.backend).await;
        assert_eq!(claim(&world.backend, node, "mail", 2).await.jobs.len(), 2);
        // What `settle` commits, and no more.
        let settle =
            "UPDATE {schema}.jobs SET status = 'complete', node = NULL, finished_at = now() WHERE executor = 'mail'";
        world.sql(settle).await;
        assert!(!batch.status().await.unwrap().is_finished());
        for expected in [1, 0] {
            assert_eq!(flows(&world.backend).unwrap().sweep_flows().await.unwrap(), expected);
            assert_eq!(world.rows().await.len(), 4);
        }
        assert!(batch.wait().await.unwrap().is_success());
        assert!(!open.status().await.unwrap().is_finished());
    })
    .await;
}

/// Jobs are added while others end: whoever decides waits for the transaction, and counts after it.
#[tokio::test]
async fn case_15_5_a_batch_to_which_jobs_are_being_added_does_not_finish() {
    in_schema(async |world| {
        let pool = sqlx::PgPool::connect(&world.url).await.unwrap();
        let batch = Batch::new("grows").jobs([job("mail")]).on_finished(job("tell"));
        let batch = batch.enqueue_to_backend(&world.backend).await.unwrap();
        let node = join(&world.backend).await;
        let run = claim(&world.backend, node, "mail", 1).await.jobs.remove(0);
        let mut transaction = pool.begin().await.unwrap();
        batch.add_in([job("mail")], &world.backend, &mut transaction).await.unwrap();
        let backend = world.another().await;
        let end = rexecutor::backend::Settlement::new(run.id, run.lease, rexecutor::backend::Outcome::complete(true));
        let settling = tokio::spawn(async move { rexecutor::backend::Settle::settle(&backend, [end].into()).await });
        // It is stored, and the decision waits for the transaction.
        while batch.status().await.unwrap().counts.complete == 0 {
            SystemClock.sleep(Duration::from_millis(1)).await;
        }
        transaction.commit().await.unwrap();
        settling.await.unwrap().unwrap();
        assert!(!batch.status().await.unwrap().is_finished());
        let run = claim(&world.backend, node, "mail", 1).await.jobs.remove(0);
        let end = rexecutor::backend::Settlement::new(run.id, run.lease, rexecutor::backend::Outcome::complete(true));
        assert!(rexecutor::backend::Settle::settle(&world.backend, [end].into()).await.unwrap().is_empty());
        assert_eq!(batch.wait().await.unwrap().counts.complete, 2);
        pool.close().await;
    })
    .await;
}

/// The statements that are asked for often find their rows by an index, however many batches and jobs there are.
#[tokio::test]
async fn case_15_5_batches_are_counted_by_their_index() {
    in_schema(async |world| {
        let backend = PgOptions::new().schema(&world.schema).connect(&world.url).await.unwrap();
        assert!(backend.flows().is_some());
        let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&world.url).await.unwrap();
        let explain = format!(
            "SET enable_seqscan = off; SET enable_bitmapscan = off; SET search_path = \"{}\"",
            world.schema
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(explain)).execute(&mut connection).await.unwrap();
        let look = "EXPLAIN SELECT flows.id FROM flows WHERE flows.id = ANY ('{1}') AND flows.finished_at IS NULL AND NOT EXISTS \
                    (SELECT FROM jobs WHERE jobs.flow = flows.id AND jobs.status IN ('blocked', 'scheduled', 'executing', 'retryable'))";
        let plan: Vec<String> = sqlx::query_scalar(look).fetch_all(&mut connection).await.unwrap();
        assert!(plan.iter().any(|line| line.contains("jobs_flow")), "{plan:#?}");
    })
    .await;
}

/// Those that are looked at again and again, because they wait for a threshold, keep no other from being found.
#[tokio::test]
async fn case_15_5_a_look_goes_through_all_batches() {
    in_schema(async |world| {
        for _ in 0..501 {
            let waits = Batch::new("waits").jobs([job("later")]).on_progress(Threshold::Jobs(1), job("tell"));
            let _ = waits.enqueue_to_backend(&world.backend).await.unwrap();
        }
        let batch = Batch::new("lost").jobs([job("mail")]).on_finished(job("tell"));
        let batch = batch.enqueue_to_backend(&world.backend).await.unwrap();
        world.sql("UPDATE {schema}.jobs SET status = 'complete', finished_at = now() WHERE executor = 'mail'").await;
        assert_eq!(flows(&world.backend).unwrap().sweep_flows().await.unwrap(), 502);
        assert!(batch.wait().await.unwrap().is_success());
    })
    .await;
}
