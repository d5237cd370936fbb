//! Outputs, and waiting for the ends of jobs.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use chrono::TimeDelta;
use rexecutor::{
    backend::{Deadline, Ends, JobRow, Marks, NewJob, Outcome as End, Settlement, Wakeup},
    job::{ErrorType, ExecutorName, JobHandle, JobId, JobStatus},
    prelude::*,
    results::OutputError,
};
use serde_json::{Value, json};

use super::harness::{COMPLETE, Harness, TIMEOUT, failure, job, retry};

/// An executor of any output.
struct Any;

#[rexecutor::__private::async_trait]
impl Executor for Any {
    type Data = Value;
    type Metadata = ();
    const NAME: &'static str = "any";

    async fn execute(_job: Job<Value, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

impl HasOutput for Any {
    type Output = Value;
}

/// How long an end is waited for: less than it takes until a waiter looks by itself.
const SOON: Duration = Duration::from_secs(4);

type Waiting = tokio::task::JoinHandle<Result<Outcome<Value>, OutputError>>;

impl Harness {
    fn ends(&self) -> Option<&dyn Ends> {
        self.backend.ends()
    }

    /// Somebody who waits for a job, for which it is marked already.
    async fn waiting(&self, id: JobId) -> Waiting {
        let waiting = tokio::spawn(Any::wait_on_backend(id, &self.backend).within(SOON).into_future());
        while !self.row(id).await.marks.contains(Marks::AWAITED) {
            tokio::task::yield_now().await;
        }
        waiting
    }
}

async fn ended(waiting: Waiting) -> Outcome<Value> {
    waiting.await.expect("it does not panic").expect("it is told")
}

fn any() -> NewJob {
    job("any")
}

/// Outputs of all kinds and sizes, settled together with plain completions and other outcomes, come back as they were.
pub async fn case_15_1_an_output_comes_back_as_it_was(t: &Harness) {
    let outputs = [
        Value::Null,
        json!(0.1),
        json!("🦀 \" \\ \n"),
        json!({"thumbnail": [1, {"deep": [[[]]]}]}),
        json!("x".repeat(100_000)),
    ];
    let mut runs: Vec<JobRow> = Vec::new();
    for _ in 0..outputs.len() + 3 {
        runs.push(t.running(any()).await);
    }
    let mut settlements: Vec<Settlement> = runs
        .iter()
        .zip(&outputs)
        .map(|(run, output)| Settlement::new(run.id, run.lease, End::complete_with(output.to_string())))
        .collect();
    let [plain, failed, unkept] = &runs[outputs.len()..] else { panic!("three more") };
    settlements.insert(1, Settlement::new(plain.id, plain.lease, COMPLETE));
    settlements.insert(3, Settlement::new(failed.id, failed.lease, retry(10)));
    settlements.push(Settlement::new(unkept.id, unkept.lease, End::complete(false)));
    let stale = Settlement::new(runs[0].id, rexecutor::job::Lease(runs[0].lease.0 + 1), End::complete_with("1"));
    settlements.push(stale);
    let refused = t.backend.settle(settlements.into()).await.expect("outcomes can be stored");
    assert_eq!(refused, [(runs[0].id, rexecutor::job::Lease(runs[0].lease.0 + 1))]);
    for (run, output) in runs.iter().zip(&outputs) {
        assert_eq!(Any::output_on_backend(run.id, &t.backend).await.expect("it can be asked").as_ref(), Some(output));
        assert_eq!(t.row(run.id).await.extras.output.as_deref(), Some(&*output.to_string()));
    }
    assert_eq!(Any::output_on_backend(plain.id, &t.backend).await.expect("it can be asked"), Some(Value::Null));
    assert_eq!(t.row(plain.id).await.extras.output, None);
    for none in [failed.id, unkept.id] {
        assert_eq!(Any::output_on_backend(none, &t.backend).await.expect("it can be asked"), None);
    }
    // Of another executor's job nothing is told.
    let other = t.running(job("other")).await;
    assert!(t.settle(&other, End::complete_with("1")).await);
    assert_eq!(Any::output_on_backend(other.id, &t.backend).await.expect("it can be asked"), None);
}

/// Once a job is marked, every wakeup of ends that watches hears of its end; a job that nobody waits for is not marked.
pub async fn case_15_1_the_ends_of_marked_jobs_are_told_and_no_others(t: &Harness) {
    let Some(ends) = t.ends() else { return };
    let (first, second, plain) = (t.running(any()).await, t.running(any()).await, t.running(any()).await);
    ends.await_ends(vec![first.id, second.id, JobId::from(i64::MAX)]).await.expect("jobs can be waited for");
    assert!(t.row(first.id).await.marks.contains(Marks::AWAITED) && t.row(plain.id).await.marks.is_plain());
    let wakeup = Arc::new(Wakeup::of_ends());
    let mut watch = t.backend.watch(wakeup.clone());
    // What else happens wakes it not.
    let mut told = std::collections::BTreeSet::new();
    let mut until = async |job: JobId| {
        poll_fn(|context| {
            assert!(watch.as_mut().poll(context).is_pending(), "a watch lasts");
            let listen = std::pin::pin!(wakeup.listen());
            if let Poll::Ready(reasons) = listen.poll(context) {
                assert!(reasons.executors.is_empty() && reasons.cancelled.is_empty(), "{reasons:?}");
                told.extend(reasons.ended);
            }
            if told.contains(&job) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        told.clone()
    };
    let settled = async {
        assert!(t.settle(&plain, COMPLETE).await);
        assert!(t.settle(&first, End::complete_with("1")).await);
        assert!(t.settle(&second, retry(0)).await);
        let again = t.claim(t.join().await, "any", 1).await.remove(0);
        assert_eq!(again.id, second.id);
        assert!(t.settle(&again, End::discard(failure("no"))).await);
    };
    let (told, ()) = tokio::join!(until(second.id), settled);
    assert_eq!(told.into_iter().collect::<Vec<_>>(), [first.id, second.id]);
    // A rerun is waited for anew.
    t.backend.rerun(&ExecutorName::from("any"), first.id).await.expect("it can be rerun");
    assert!(t.row(first.id).await.marks.is_plain());
}

/// Whoever waits hears of each way in which a job can end.
pub async fn case_15_1_a_waiter_hears_of_every_end(t: &Harness) {
    if t.ends().is_none() {
        return;
    }
    let name = ExecutorName::from("any");
    let run = t.running(any()).await;
    let waiting = t.waiting(run.id).await;
    assert!(t.settle(&run, End::complete_with(r#"{"a":1}"#)).await);
    assert_eq!(ended(waiting).await, Outcome::Complete(json!({"a": 1})));
    // One that has ended is not waited for.
    assert_eq!(
        Any::wait_on_backend(run.id, &t.backend).await.expect("it can be asked"),
        Outcome::Complete(json!({"a": 1}))
    );

    let run = t.running(any()).await;
    let waiting = t.waiting(run.id).await;
    assert!(t.settle(&run, COMPLETE).await);
    assert_eq!(ended(waiting).await, Outcome::Complete(Value::Null));

    let run = t.running(any()).await;
    let waiting = t.waiting(run.id).await;
    assert!(t.settle(&run, End::complete(false)).await);
    assert_eq!(ended(waiting).await, Outcome::Gone);

    let run = t.running(any().with_max_attempts(2)).await;
    let waiting = t.waiting(run.id).await;
    assert!(t.settle(&run, retry(0)).await);
    let again = t.claim(t.join().await, "any", 1).await.remove(0);
    assert!(!waiting.is_finished() && t.settle(&again, retry(0)).await);
    match ended(waiting).await {
        Outcome::Discarded { errors } => {
            assert_eq!(errors.iter().map(|error| error.attempt).collect::<Vec<_>>(), [1, 2])
        }
        other => panic!("{other:?}"),
    }

    let run = t.running(any()).await;
    let waiting = t.waiting(run.id).await;
    t.backend.cancel(&name, run.id, "not wanted".to_owned()).await.expect("it can be cancelled");
    assert!(t.settle(&run, COMPLETE).await);
    assert_eq!(ended(waiting).await, Outcome::Cancelled { reason: Some("not wanted".to_owned()) });

    let waits = t.enqueue(any()).await;
    let waiting = t.waiting(waits).await;
    t.backend.cancel(&name, waits, "not wanted".to_owned()).await.expect("it can be cancelled");
    assert!(matches!(ended(waiting).await, Outcome::Cancelled { .. }));

    let late = t.enqueue(any().with_deadline(Deadline::In(TimeDelta::seconds(5))).with_blocked(true)).await;
    let waiting = t.waiting(late).await;
    t.wait(6).await;
    t.backend.rescue(&[]).await.expect("rescue works");
    match ended(waiting).await {
        Outcome::Discarded { errors } => assert_eq!(errors[0].error_type, ErrorType::DeadlinePassed),
        other => panic!("{other:?}"),
    }

    let run = t.running(any().with_max_attempts(1)).await;
    let waiting = t.waiting(run.id).await;
    t.clock.advance(TimeDelta::from_std(TIMEOUT).expect("it is short") * 2).await;
    assert_eq!(t.declare_dead(&[run.node.expect("it runs")]).await, 1);
    match ended(waiting).await {
        Outcome::Discarded { errors } => assert_eq!(errors[0].error_type, ErrorType::NodeLost),
        other => panic!("{other:?}"),
    }

    assert_eq!(Any::wait_on_backend(JobId::from(i64::MAX), &t.backend).await.expect("it can be asked"), Outcome::Gone);
    let other = t.enqueue(job("other")).await;
    assert_eq!(Any::wait_on_backend(other, &t.backend).await.expect("it can be asked"), Outcome::Gone);
}

/// A hundred callers wait for fifty jobs, which end in two batches; and one gives up, whose job goes on.
pub async fn case_15_1_many_callers_wait_at_once(t: &Harness) {
    if t.ends().is_none() {
        return;
    }
    let jobs: Vec<JobId> = t.enqueue_all(vec![any(); 50]).await.into_iter().map(|job| job.id()).collect();
    let node = t.join().await;
    let runs = t.claim(node, "any", 50).await;
    let never = t.enqueue(any().with_due(rexecutor::backend::Due::In(TimeDelta::days(1)))).await;
    let given_up = Any::wait_on_backend(JobHandle::from(never), &t.backend).within(Duration::ZERO).await;
    assert!(matches!(given_up, Err(OutputError::TimedOut { job, .. }) if job == never));
    let mut waiting = Vec::new();
    for job in jobs.iter().chain(&jobs) {
        waiting.push((job, t.waiting(*job).await));
    }
    for half in runs.chunks(25) {
        let settle = half.iter().map(|run| Settlement::new(run.id, run.lease, End::complete_with(run.id.to_string())));
        assert!(t.backend.settle(settle.collect()).await.expect("outcomes can be stored").is_empty());
    }
    for (job, waiting) in waiting {
        assert_eq!(ended(waiting).await, Outcome::Complete(json!(job.as_i64())));
    }
    assert_eq!(t.row(never).await.status, JobStatus::Scheduled);
}
