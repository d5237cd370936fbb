//! Batches on a file that two processes share.

use rexecutor::{
    backend::flows,
    batches::{Batch, Threshold},
};

use super::{File, all, job};
use crate::batches_of_two::ended_by_two_nodes;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_15_5_two_processes_end_the_last_jobs_of_batches() {
    let file = File::new();
    ended_by_two_nodes(&file.open().await, &file.open().await).await;
}

/// What has ended jobs without a word, as a program of another kind, is found by a look.
#[tokio::test]
async fn case_15_5_a_look_finds_batches_whose_jobs_have_ended_unseen() {
    let file = File::new();
    let backend = file.open().await;
    let batch = Batch::new("lost").jobs([job("mail"), job("mail")]).on_finished(job("tell"));
    let batch = batch.enqueue_to_backend(&backend).await.unwrap();
    let mut connection = file.connect().await;
    sqlx::query("UPDATE rexecutor_jobs SET status = 'complete', finished_at = 1")
        .execute(&mut connection)
        .await
        .unwrap();
    assert!(!batch.status().await.unwrap().is_finished());
    for expected in [1, 0] {
        assert_eq!(flows(&backend).unwrap().sweep_flows().await.unwrap(), expected);
        assert_eq!(all(&backend).await.len(), 3);
    }
    assert!(batch.wait().await.unwrap().is_success());
}

/// Those that are looked at again and again, because they wait for a threshold, keep no other from being found.
#[tokio::test]
async fn case_15_5_a_look_goes_through_all_batches() {
    let file = File::new();
    let backend = file.open().await;
    for _ in 0..501 {
        let waits = Batch::new("waits").jobs([job("later")]).on_progress(Threshold::Jobs(1), job("tell"));
        let _ = waits.enqueue_to_backend(&backend).await.unwrap();
    }
    let batch = Batch::new("lost").jobs([job("mail")]).on_finished(job("tell"));
    let batch = batch.enqueue_to_backend(&backend).await.unwrap();
    let end = "UPDATE rexecutor_jobs SET status = 'complete', finished_at = 1 WHERE executor = 'mail'";
    sqlx::query(end).execute(&mut file.connect().await).await.unwrap();
    assert_eq!(flows(&backend).unwrap().sweep_flows().await.unwrap(), 502);
    assert!(batch.wait().await.unwrap().is_success());
}
