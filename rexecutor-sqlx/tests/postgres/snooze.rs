//! Jobs that snooze for ever.

use chrono::TimeDelta;
use rexecutor::{
    backend::{Enqueue, Outcome, Settle, Settlement},
    job::JobStatus,
};

use crate::support::{claim, in_schema, job, join};

/// More claims than 32 bits count.
const MANY: i64 = 5_000_000_000;

#[tokio::test]
async fn case_23_a_job_may_snooze_for_ever() {
    in_schema(async |world| {
        let backend = &world.backend;
        let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
        world.sql(&format!("UPDATE {{schema}}.jobs SET lease = {MANY}")).await;
        let node = join(backend).await;
        for snooze in 1..=300 {
            let row = claim(backend, node, "mail", 1).await.jobs.remove(0);
            assert_eq!((row.attempt, row.lease.0, row.errors.len()), (1, MANY + snooze, 0));
            let ended = Settlement::new(row.id, row.lease, Outcome::snooze(TimeDelta::zero()));
            assert_eq!(backend.settle([ended].into()).await.unwrap(), []);
        }
        let row = world.rows().await.remove(0);
        assert_eq!((row.status, row.attempt, row.lease.0), (JobStatus::Scheduled, 0, MANY + 300));
    })
    .await;
}
