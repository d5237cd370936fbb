//! Jobs that snooze for ever.

use chrono::TimeDelta;
use rexecutor::{
    backend::{Outcome, Settle},
    job::JobStatus,
};

use super::{File, all, claim, end, enqueue_one, job, join};

/// More claims than 32 bits count.
const MANY: i64 = 5_000_000_000;

#[tokio::test]
async fn case_23_a_job_may_snooze_for_ever() {
    let file = File::new();
    let backend = file.open().await;
    enqueue_one(&backend, job("mail")).await;
    let mut connection = file.connect().await;
    let sql = format!("UPDATE rexecutor_jobs SET lease = {MANY}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    let node = join(&backend).await;
    for snooze in 1..=300 {
        let row = claim(&backend, node, "mail", 1).await.jobs.remove(0);
        assert_eq!((row.attempt, row.lease.0, row.errors.len()), (1, MANY + snooze, 0));
        let ended = end(&row, Outcome::snooze(TimeDelta::zero()));
        assert_eq!(backend.settle([ended].into()).await.unwrap(), []);
    }
    let row = all(&backend).await.remove(0);
    assert_eq!((row.status, row.attempt, row.lease.0), (JobStatus::Scheduled, 0, MANY + 300));
}
