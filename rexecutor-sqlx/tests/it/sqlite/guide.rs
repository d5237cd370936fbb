//! What `docs/sqlite.md` says.

use std::{fs, time::Duration};

use rexecutor::{
    backend::{Control, Enqueue, Maintain, Node, Scope},
    job::JobStatus,
};
use rexecutor_sqlx::SqliteBackend;
use sqlx::AssertSqlSafe;

use super::{File, all, claim, enqueue_one, job, join};
use crate::guide_text::statements;

#[tokio::test]
async fn case_10_a_copy_as_the_guide_makes_it_is_whole_and_its_jobs_wait() {
    let [copy, pause] = <[String; 2]>::try_from(statements("sqlite.md")).unwrap();
    let file = File::new();
    let backend = file.open().await;
    let _ = backend.enqueue(vec![job("mail"), job("mail"), job("print")]).await.unwrap();
    let lost = backend.join(&Node::new("", Duration::ZERO)).await.unwrap();
    assert_eq!(claim(&backend, lost, "mail", 1).await.jobs.len(), 1);
    // As it is done in vain.
    let plain = file.folder.path().join("plain.db");
    fs::copy(file.path(), &plain).unwrap();
    let in_vain = SqliteBackend::open(&plain).await.unwrap();
    assert!(all(&in_vain).await.is_empty(), "the log is lacking");

    let path = file.folder.path().join("copy.db");
    let copy = copy.replace("copy.db", &path.display().to_string());
    sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut file.connect().await).await.unwrap();
    let _ = enqueue_one(&backend, job("mail")).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(pause)).execute(&mut connection).await.unwrap();

    let copied = SqliteBackend::open(&path).await.unwrap();
    assert_eq!(all(&copied).await.len(), 3);
    let node = join(&copied).await;
    let seen = copied.heartbeat(node).await.unwrap().others;
    copied.rescue(&seen).await.unwrap();
    for executor in ["mail", "print"] {
        assert!(claim(&copied, node, executor, 9).await.jobs.is_empty());
    }
    assert_eq!(all(&copied).await[0].status, JobStatus::Retryable);
    assert!(copied.resume(&Scope::Cluster).await.unwrap());
    assert_eq!(claim(&copied, node, "mail", 9).await.jobs.len(), 2);
    // The original is as it was.
    let node = join(&backend).await;
    assert_eq!(claim(&backend, node, "mail", 9).await.jobs.len(), 2);
}
