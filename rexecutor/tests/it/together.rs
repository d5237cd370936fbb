//! What a run ends together with.

use std::sync::Arc;

use rexecutor::{
    backend::{Inspect, NewJob, memory::InMemoryBackend},
    job::CompleteError,
    prelude::*,
};
use rexecutor_testing::perform;

#[job]
async fn ships(order: u32) {
    let _ = order;
}

#[job(unique_within = "5m")]
async fn ships_once(order: u32) {
    let _ = order;
}

#[job(max_attempts = 3, backoff = constant("1ms"))]
async fn charges(order: u32, context: JobContext) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    context.enqueue_on_success(Ships::builder().with_data(order).encode()?)?;
    match context.attempt() {
        1 => Err("the bank is away".into()),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn case_15_4_a_job_that_runs_twice_enqueues_its_children_once() {
    let backend = Arc::new(InMemoryBackend::new());
    let node = Rexecutor::builder().with_backend(backend.clone()).with_executor::<Charges>().start().await.unwrap();
    let outcome = Charges::run_on_backend(7, &backend).await.unwrap();
    assert_eq!(outcome, Outcome::Complete(()));
    node.graceful_shutdown().await;
    let children = Ships::query_jobs_on_backend(Where::any(), &backend).await.unwrap();
    assert_eq!(children.iter().map(|job| job.data).collect::<Vec<_>>(), [7]);
    let all = backend.query(&rexecutor::backend::Filter::All(Vec::new()), 10).await.unwrap();
    assert_eq!((all.len(), all[0].attempt), (2, 2));
}

#[job]
async fn asks_for_too_much(_unit: (), context: JobContext) -> Result<(), String> {
    let unique = ShipsOnce::builder().with_data(7).encode().map_err(|error| error.to_string())?;
    let refused = context.enqueue_on_success(unique).map_err(|error| error.to_string());
    assert!(refused.is_err_and(|error| error.contains("unique")));
    for _ in 0..10_000 {
        context.enqueue_on_success(NewJob::new("ships", "1").with_max_pending(1)).map_err(|error| error.to_string())?;
    }
    let refused = context.enqueue_on_success(NewJob::new("ships", "1")).map_err(|error| error.to_string());
    assert!(refused.is_err_and(|error| error.contains("10000")));
    // In memory there are no transactions.
    let error = context.complete_in(&mut 7_u32, &()).await.unwrap_err();
    assert!(
        matches!(&error, CompleteError::Backend(_)) && error.to_string().contains("`Backend::settle_in`"),
        "{error}"
    );
    Err("no".to_owned())
}

#[rexecutor_testing::test]
async fn case_15_4_what_cannot_follow_is_refused() {
    let performed = perform::<AsksForTooMuch>(()).await;
    assert_eq!(performed.error().expect("it fails").details, "no");
    assert!(performed.enqueued().is_empty(), "nothing follows a failure");
    let charged = perform::<Charges>(7).attempt(2).await;
    assert_eq!(charged.enqueued().iter().map(|job| &*job.data).collect::<Vec<_>>(), ["7"]);
}
