//! The jobs of batches: cancelled together, listed, and kept for as long as they count.

use std::sync::Arc;

use chrono::TimeDelta;
use rexecutor::{
    backend::{Due, Outcome, Wakeup, flows::FlowError},
    job::{ExecutorName, JobStatus},
    pruner::{PruneRule, PruneScope, PruneSpec},
};

use super::{
    batches::counts,
    harness::{COMPLETE, Harness, job},
};

/// What waits ends at once, what runs is asked to stop, and nothing can be added.
pub async fn case_15_5_a_batch_is_cancelled_as_a_whole(t: &Harness) {
    let mut jobs = vec![job("mail"); 1_200];
    jobs.push(job("other").with_blocked(true));
    jobs.push(job("other").with_due(Due::In(TimeDelta::hours(1))));
    let (flow, ids) = t.batch_of(jobs).await;
    let bystander = t.enqueue(job("other")).await;
    let runs = t.take(2).await;
    t.end(&runs[..1], &COMPLETE).await;
    let wakeup = Arc::new(Wakeup::default());
    let _watch = t.backend.watch(wakeup.clone());
    let count = t.batches().cancel_flow(flow, "enough".to_owned()).await.expect("it can be cancelled");
    assert_eq!(count, ids.len() - 1);
    assert!(wakeup.listen().await.cancelled.contains(&runs[1].id), "its node is told");
    let state = t.state(flow).await;
    assert_eq!((state.flow.cancelled(), state.flow.end()), (Some("enough"), None), "one still runs");
    let refused = t.batches().add(flow, vec![job("mail")]).await;
    assert!(matches!(refused, Err(FlowError::Cancelled(_))), "{refused:?}");
    assert_eq!(t.batches().cancel_flow(flow, "again".to_owned()).await.expect("it is safe"), 0);
    t.end(&runs[1..], &COMPLETE).await;
    assert_eq!(t.names().await, ["half", "finished"]);
    let (_, last) = t.callbacks().await.remove(1);
    let expected = counts(&[(JobStatus::Complete, 1), (JobStatus::Cancelled, 1_201)]);
    assert_eq!((last.counts, last.cancelled.as_deref()), (expected, Some("enough")));
    assert_eq!(t.row(ids[500]).await.extras.cancel_reason.as_deref(), Some("enough"));
    assert_eq!(t.row(bystander).await.status, JobStatus::Scheduled);
    let over = t.batches().cancel_flow(flow, "late".to_owned()).await;
    assert!(matches!(over, Err(FlowError::Over(_))), "{over:?}");
}

/// They are counted yet. The batch itself goes with its last job.
pub async fn case_15_5_jobs_of_a_batch_that_goes_on_are_not_pruned(t: &Harness) {
    let (flow, jobs) = t.batch(3).await;
    let other = t.running(job("other")).await;
    assert!(t.settle(&other, COMPLETE).await);
    let runs = t.take(3).await;
    t.end(&runs[..2], &COMPLETE).await;
    t.wait(100).await;
    let prune = async |rule| {
        let spec = PruneSpec::new(JobStatus::Complete, rule, PruneScope::All);
        t.backend.prune(&spec, 10).await.expect("jobs can be pruned")
    };
    assert_eq!(prune(PruneRule::MaxLength(0)).await, 1, "the other job");
    assert_eq!(prune(PruneRule::MaxAge(TimeDelta::seconds(50))).await, 0);
    t.end(&runs[2..], &COMPLETE).await;
    assert_eq!(t.state(flow).await.flow.end().map(|end| end.counts.complete), Some(3));
    assert_eq!(prune(PruneRule::MaxAge(TimeDelta::seconds(50))).await, 2);
    assert!(t.find(jobs[2]).await.is_some());
    assert_eq!(t.state(flow).await.flow.end().map(|end| end.counts.complete), Some(3), "as it stood then");
    assert_eq!(prune(PruneRule::MaxLength(0)).await, 1);
    assert_eq!(t.batches().find(flow).await.expect("it can be asked"), None);
    // One whose jobs are not kept is there for those who wait, and is forgotten later.
    let (bare, _) = t.batch(1).await;
    assert!(t.settle(&t.take(1).await[0], Outcome::complete(false)).await);
    assert!(t.state(bare).await.flow.end().is_some());
    let (kept, _) = t.batch(1).await;
    t.end(&t.take(1).await, &COMPLETE).await;
    t.wait(7 * 24 * 60 * 60 + 1).await;
    t.sweep().await;
    assert_eq!(t.batches().find(bare).await.expect("it can be asked"), None);
    assert!(t.state(kept).await.flow.end().is_some());
}

/// By number, in pages.
pub async fn case_15_5_the_jobs_of_a_batch_are_listed_by_status(t: &Harness) {
    let (flow, ids) = t.batch(5).await;
    t.batch(3).await;
    t.backend.cancel(&"mail".into(), ids[2], "no".to_owned()).await.expect("it can be cancelled");
    let list = async |status, after, limit| {
        let page = t.batches().members(flow, status, after, limit).await.expect("they can be listed");
        assert!(page.iter().all(|(_, executor)| *executor == ExecutorName::from("mail")));
        page.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(list(JobStatus::Scheduled, None, 2).await, ids[..2]);
    assert_eq!(list(JobStatus::Scheduled, Some(ids[1]), 9).await, ids[3..]);
    assert_eq!(list(JobStatus::Cancelled, None, 9).await, ids[2..3]);
    assert!(list(JobStatus::Discarded, None, 9).await.is_empty());
}
