//! Waiting for jobs of other processes.

use rexecutor::backend::{Inspect, Marks, ends};
use sqlx::{Connection, PgConnection};

use crate::{
    outputs_of_others::told_by_another_process,
    support::{in_schema, job},
};

#[tokio::test]
async fn case_15_1_the_end_of_a_job_in_another_process_is_told() {
    in_schema(async |world| told_by_another_process(&world.backend, &world.another().await).await).await;
}

/// An application may hold a job's row for as long as its transaction likes: whoever waits for others does not wait for that.
#[tokio::test]
async fn case_15_1_a_row_that_somebody_holds_keeps_nobody_waiting() {
    in_schema(async |world| {
        let ids: Vec<_> = {
            use rexecutor::backend::Enqueue;
            let jobs = world.backend.enqueue(vec![job("mail"); 2]).await.unwrap();
            jobs.into_iter().map(|job| job.id()).collect()
        };
        let mut connection = PgConnection::connect(&world.url).await.unwrap();
        let mut transaction = connection.begin().await.unwrap();
        let lock = format!("SELECT id FROM \"{}\".jobs WHERE id = {} FOR UPDATE", world.schema, ids[0]);
        sqlx::query(sqlx::AssertSqlSafe(lock)).execute(&mut *transaction).await.unwrap();
        ends(&world.backend).unwrap().await_ends(ids.clone()).await.unwrap();
        let marked =
            || async { world.backend.query(&rexecutor::backend::Filter::Marked(Marks::AWAITED), 9).await.unwrap() };
        assert_eq!(marked().await.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[1]]);
        transaction.rollback().await.unwrap();
        ends(&world.backend).unwrap().await_ends(ids.clone()).await.unwrap();
        assert_eq!(marked().await.len(), 2);
    })
    .await;
}
