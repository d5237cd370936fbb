//! Rows that somebody wrote by hand, where SQLite is not as other backends are; the rest is in the conformance suite.

use rexecutor::{
    backend::{AmendError, Enqueue, Filter, Inspect, Outcome, Settle},
    job::{JobId, JobStatus},
};
use sqlx::Row;

use super::{File, all, claim, end, ids, job, join};

async fn stored(connection: &mut sqlx::SqliteConnection, job: JobId) -> (String, String) {
    let sql = "SELECT status, details FROM rexecutor_jobs JOIN rexecutor_job_errors ON job = rexecutor_jobs.id
        WHERE rexecutor_jobs.id = ?";
    let row = sqlx::query(sql).bind(i64::from(job)).fetch_one(connection).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn broken_errors_make_a_row_unreadable_and_a_lease_at_its_end_does_not_fail_the_claim() {
    let file = File::new();
    let backend = file.open().await;
    let node = join(&backend).await;
    let jobs = backend.enqueue((0..3).map(|_| job("mail")).collect()).await.unwrap();
    let mut other = file.connect().await;
    let damage = format!(
        "UPDATE rexecutor_jobs SET lease = 5 WHERE id = {0};
        INSERT INTO rexecutor_job_errors (job, attempt, error_type, details, recorded_at) VALUES ({0}, -1, 'x', 'y', 0);
        UPDATE rexecutor_jobs SET lease = 9223372036854775807 WHERE id = {1};",
        jobs[0].id(),
        jobs[1].id()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(damage)).execute(&mut other).await.unwrap();
    let claimed = claim(&backend, node, "mail", 3).await.jobs;
    assert_eq!(ids(&claimed), [jobs[1].id(), jobs[2].id()]);
    assert_eq!(claimed[0].lease.0, i64::MAX);
}

#[tokio::test]
async fn a_status_that_is_none_is_not_claimed_and_an_amendment_says_what_is_wrong() {
    let file = File::new();
    let backend = file.open().await;
    let node = join(&backend).await;
    let id = backend.enqueue(vec![job("mail")]).await.unwrap()[0].id();
    let mut other = file.connect().await;
    sqlx::raw_sql("UPDATE rexecutor_jobs SET status = 'paused'").execute(&mut other).await.unwrap();
    assert!(claim(&backend, node, "mail", 1).await.jobs.is_empty());
    assert!(all(&backend).await.is_empty());
    let Err(AmendError::Backend(error)) = backend.rerun(&"mail".into(), id).await else { panic!("not an error") };
    assert!(!error.is_transient());
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let messages: Vec<String> = causes.map(ToString::to_string).collect();
    assert!(messages.iter().any(|message| message.contains("`paused` is no job status")), "{messages:?}");
}

#[tokio::test]
async fn a_row_that_breaks_while_it_runs_is_quarantined_when_it_ends() {
    let file = File::new();
    let backend = file.open().await;
    let node = join(&backend).await;
    let _ = backend.enqueue(vec![job("mail")]).await.unwrap();
    let run = claim(&backend, node, "mail", 1).await.jobs.remove(0);
    let mut other = file.connect().await;
    sqlx::raw_sql("UPDATE rexecutor_jobs SET max_attempts = -1").execute(&mut other).await.unwrap();
    let refused = backend.settle([end(&run, Outcome::GiveBack)].into()).await.unwrap();
    assert_eq!(refused, [(run.id, run.lease)]);
    assert_eq!(stored(&mut other, run.id).await.0, "discarded");
}

#[tokio::test]
async fn trap_33_conditions_keep_to_themselves_and_empty_lists_are_no_syntax_error() {
    let file = File::new();
    let backend = file.open().await;
    let _ = backend.enqueue(vec![job("mail"), job("resize"), job("mail")]).await.unwrap();
    let either =
        Filter::Any(vec![Filter::StatusIn(vec![JobStatus::Complete]), Filter::StatusIn(vec![JobStatus::Scheduled])]);
    let mails = Filter::All(vec![Filter::Executor("mail".into()), either]);
    assert_eq!(backend.query(&mails, 10).await.unwrap().len(), 2);
    let not_mails = Filter::Not(Box::new(mails));
    assert_eq!(backend.query(&not_mails, 10).await.unwrap().len(), 1);
    for none in [Filter::Any(vec![]), Filter::IdIn(vec![]), Filter::StatusIn(vec![]), Filter::TagsOneOf(vec![])] {
        assert!(backend.query(&none, 10).await.unwrap().is_empty(), "{none:?}");
        assert_eq!(backend.query(&Filter::Not(Box::new(none)), 10).await.unwrap().len(), 3);
    }
    for every in [Filter::All(vec![]), Filter::TagsAllOf(vec![])] {
        assert_eq!(backend.query(&every, 10).await.unwrap().len(), 3, "{every:?}");
    }
    let injected = Filter::Executor("' OR 1 = 1 --".to_owned().into());
    assert!(backend.query(&injected, 10).await.unwrap().is_empty());
}

/// In a long queue jobs are claimed before they are read.
#[tokio::test]
async fn rows_that_cannot_be_read_block_nobody_in_a_long_queue() {
    for damage in ["priority = -1", "attempt = -7", "tags = '[1]'", "data = CAST(x'ff' AS TEXT)", "lease = 5"] {
        let file = File::new();
        let backend = file.open().await;
        let node = join(&backend).await;
        let jobs: Vec<_> = (0..8).map(|_| job("mail")).collect();
        let jobs = ids_of(&backend.enqueue(jobs).await.unwrap());
        assert_eq!(ids(&claim(&backend, node, "mail", 2).await.jobs), jobs[..2]);
        let mut other = file.connect().await;
        let sql = format!("UPDATE rexecutor_jobs SET {damage} WHERE id = {0}", jobs[3]);
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut other).await.unwrap();
        let error = format!(
            "INSERT INTO rexecutor_job_errors (job, attempt, error_type, details, recorded_at) VALUES ({}, -1, 'x', 'y', 0)",
            jobs[3]
        );
        sqlx::query(sqlx::AssertSqlSafe(error)).execute(&mut other).await.unwrap();
        let claimed = claim(&backend, node, "mail", 4).await.jobs;
        assert_eq!(ids(&claimed), [jobs[2], jobs[4], jobs[5], jobs[6]], "{damage}");
        assert!(claimed.iter().all(|job| (job.attempt, job.lease.0) == (1, 1)), "{damage}");
        assert_eq!(stored(&mut other, jobs[3]).await.0, "discarded", "{damage}");
        assert_eq!(ids(&claim(&backend, node, "mail", 4).await.jobs), [jobs[7]], "{damage}");
    }
}

fn ids_of(enqueued: &[rexecutor::backend::Enqueued]) -> Vec<JobId> {
    enqueued.iter().map(|job| job.id()).collect()
}
