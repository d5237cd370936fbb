//! Batches, as a program sees them.

use std::time::Duration;

use rexecutor::{
    backend::memory::InMemoryBackend,
    batches::{Batch, BatchError, BatchEvent, BatchHandle, BatchSummary, FlowCounts, FlowId, Threshold},
    job::builder::EnqueueError,
    prelude::*,
};
use rexecutor_testing::{Test, TestClock, perform};

#[job(max_attempts = 1)]
async fn member(number: u32) -> Result<u32, String> {
    if number % 10 == 7 { Err(format!("{number} cannot be done")) } else { Ok(number) }
}

#[job]
async fn callback(to: String, batch: BatchSummary) -> Result<String, String> {
    let BatchSummary { name, event, counts, .. } = &batch;
    Ok(format!("{to}: {name} {event:?}, {} of {}", counts.complete, counts.total()))
}

/// It adds a job while it runs, one that is stored with its success, and one to another batch.
#[job(max_attempts = 1)]
async fn grows(depth: u32, batch: BatchHandle, context: JobContext) -> Result<(), BatchError> {
    if depth > 0 {
        batch.add(Grows::builder().with_data(depth - 1)).await?;
        context.enqueue_on_success(batch.encode(Member::builder().with_data(depth))?)?;
    }
    Ok(())
}

#[job]
async fn maybe(_number: u32, context: JobContext) -> Result<Option<i64>, String> {
    Ok(BatchHandle::of(&context).map(|batch| batch.id().0))
}

fn members(
    count: u32,
) -> impl Iterator<Item = rexecutor::job::builder::JobBuilder<'static, Member, rexecutor::job::builder::WithData<u32>>>
{
    (0..count).map(|number| Member::builder().with_data(number))
}

fn tell(
    whom: &str,
) -> rexecutor::job::builder::JobBuilder<'static, Callback, rexecutor::job::builder::WithData<String>> {
    Callback::builder().with_data(whom.to_owned())
}

async fn said(test: &Test) -> Vec<String> {
    let ran = test.drain().await;
    ran.of::<Callback>().map(|ran| ran.performed.output().expect("it says something")).collect()
}

#[rexecutor_testing::test(jobs = [Member, Callback, Grows, Maybe])]
async fn case_15_5_callbacks_are_told_what_has_happened(test: Test) {
    let batch = Batch::new("album")
        .jobs(members(20))
        .job(Maybe::builder().with_data(1))
        .on_success(tell("nobody"))
        .on_finished(tell("ada"))
        .on_discard(tell("bob").schedule_in(TimeDelta::hours(1)))
        .on_progress(Threshold::Jobs(20), tell("most"))
        .enqueue()
        .await
        .unwrap();
    let status = batch.status().await.unwrap();
    assert_eq!((status.counts, &*status.name), (FlowCounts::default().with(JobStatus::Scheduled, 21), "album"));
    assert!(!status.is_finished());
    assert_eq!(said(&test).await, ["most: album Progress, 18 of 21", "ada: album Finished, 19 of 21"]);
    let status = batch.status().await.unwrap();
    assert_eq!((status.counts.discarded, status.counts.percent(), status.failed.len()), (2, 100, 2));
    assert_eq!(status.failed, batch.jobs(JobStatus::Discarded, None).await.unwrap());
    assert_eq!(status.finished_at, Some(TestClock::START));
    test.clock().advance(TimeDelta::hours(1)).await;
    assert_eq!(said(&test).await, ["bob: album Discarded, 7 of 21"]);
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!((&json["id"], &json["counts"]["complete"]), (&serde_json::json!(batch.id().0), &serde_json::json!(19)));
}

#[rexecutor_testing::test(jobs = [Member, Callback, Grows, Maybe])]
async fn case_15_5_a_job_adds_others_to_its_batch(test: Test) {
    let batch = Batch::new("tree").job(Grows::builder().with_data(3)).on_success(tell("ada")).enqueue().await.unwrap();
    assert_eq!(said(&test).await, ["ada: tree Succeeded, 7 of 7"]);
    assert!(batch.wait().await.unwrap().is_success());
    let error = batch.add(Member::builder().with_data(1)).await.unwrap_err();
    assert!(error.to_string().contains("batch 1 has finished, and takes no more jobs"), "{error}");
    assert!(!error.is_transient());
}

#[rexecutor_testing::test(jobs = [Member, Callback, Grows, Maybe])]
async fn case_15_5_a_job_is_part_of_a_batch_or_not(_test: Test) {
    let performed = perform::<Maybe>(1).await;
    assert_eq!(performed.output::<Option<i64>>(), Some(None));
    let performed = perform::<Grows>(1).await;
    assert!(performed.error().unwrap().details.contains("part of no batch"), "{performed:?}");
    let performed = perform::<Callback>("ada".to_owned()).await;
    assert!(performed.error().unwrap().details.contains("no callback of a batch"), "{performed:?}");
    let counts = FlowCounts::default().with(JobStatus::Complete, 2);
    let summary = BatchSummary::new("album", BatchEvent::Succeeded, counts);
    let performed = perform::<Callback>("ada".to_owned()).with_batch(summary).await;
    assert_eq!(performed.output(), Some("ada: album Succeeded, 2 of 2".to_owned()));
}

#[rexecutor_testing::test(jobs = [Member, Callback, Grows, Maybe])]
async fn case_15_5_discarded_jobs_run_again_with_the_callbacks(test: Test) {
    let batch = Batch::new("retry").jobs(members(10)).on_finished(tell("ada")).enqueue().await.unwrap();
    assert_eq!(said(&test).await, ["ada: retry Finished, 9 of 10"]);
    let failed = batch.status().await.unwrap().failed;
    assert!(Member::rerun_job(failed[0]).await.is_ok());
    assert_eq!(said(&test).await, [""; 0], "by itself it repeats nothing");
    assert_eq!(batch.rerun_discarded().await.unwrap(), 1);
    assert_eq!(said(&test).await, ["ada: retry Finished, 9 of 10"]);
}

#[rexecutor_testing::test(jobs = [Member, Callback, Grows, Maybe])]
async fn case_15_5_a_cancelled_batch_ends_with_what_it_has(test: Test) {
    let batch = Batch::new("late")
        .jobs(members(5))
        .on_finished(tell("ada"))
        .on_success(tell("nobody"))
        .enqueue()
        .await
        .unwrap();
    assert_eq!(batch.cancel("not wanted").await.unwrap(), 5);
    assert_eq!(said(&test).await, ["ada: late Finished, 0 of 5"]);
    assert_eq!(batch.status().await.unwrap().cancelled.as_deref(), Some("not wanted"));
}

#[tokio::test]
async fn case_15_5_what_is_wrong_with_a_batch_is_said_before_anything_is_stored() {
    let backend = std::sync::Arc::new(InMemoryBackend::new().paused());
    let sentence = async |batch: Batch| batch.enqueue_to_backend(&backend).await.unwrap_err().to_string();
    assert_eq!(sentence(Batch::new("")).await, "name: the name of a batch must not be empty");
    let unique = tell("ada").unique(rexecutor::job::uniqueness_criteria::UniquenessCriteria::by_executor());
    assert!(sentence(Batch::new("a").on_finished(unique)).await.starts_with("unique: a callback is enqueued once"));
    assert!(sentence(Batch::new("a").on_discard(tell("b").blocked())).await.starts_with("blocked: "));
    let percent = Batch::new("a").on_progress(Threshold::Percent(101), tell("b"));
    assert_eq!(sentence(percent).await, "threshold: 101 percent; give 1 to 100");
    let none = Batch::new("a").on_progress(Threshold::Jobs(0), tell("b"));
    assert_eq!(sentence(none).await, "threshold: 0 jobs; the least is 1");
    let bad = Batch::new("a").jobs(members(2)).job(Member::builder().with_data(1).with_max_attempts(0));
    let error = bad.enqueue_to_backend(&backend).await.unwrap_err();
    assert!(matches!(error, BatchError::Enqueue(EnqueueError::Invalid(_))), "{error}");
    assert!(
        rexecutor::backend::Inspect::query(&*backend, &rexecutor::backend::Filter::All(vec![]), 9)
            .await
            .unwrap()
            .is_empty()
    );

    let missing = BatchHandle::on_backend(FlowId(9), &backend);
    for error in [
        missing.status().await.unwrap_err(),
        missing.cancel("x").await.unwrap_err(),
        missing.rerun_discarded().await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "there is no batch 9");
    }
    let batch = Batch::new("waits").jobs(members(1)).enqueue_to_backend(&backend).await.unwrap();
    let late = batch.wait().within(Duration::from_millis(1)).await.unwrap_err();
    assert!(matches!(late, BatchError::TimedOut { .. }) && late.is_transient(), "{late}");
    assert_eq!(late.to_string(), "batch 1 has not finished within 1ms");
    assert_eq!(format!("{batch:?}"), "BatchHandle(1)");
}

/// The callback of the last job is enqueued also where the node that ran it died before it could.
#[rexecutor_testing::test(jobs = [Member, Callback, Grows, Maybe])]
async fn case_15_5_a_node_looks_for_batches_about_which_nobody_has_decided(test: Test) {
    let batch = Batch::new("lost").jobs(members(1)).on_finished(tell("ada")).enqueue().await.unwrap();
    let calls = || test.backend().calls(rexecutor_testing::Operation::Rescue);
    let node = test.node().with_node_timeout(Duration::from_secs(15)).start().await.unwrap();
    batch.wait().await.unwrap();
    let before = calls();
    test.advance(TimeDelta::seconds(16)).await;
    assert!(calls() > before);
    node.graceful_shutdown().await;
}
