//! A program without any job: its node would run nothing, and does not start.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use rexecutor::{
    Rexecutor,
    backend::memory::InMemoryBackend,
    executor::{ExecutionResult, Executor},
    job::Job,
    node::StartError,
};

struct ByHand;

#[async_trait::async_trait]
impl Executor for ByHand {
    type Data = ();
    type Metadata = ();
    const NAME: &'static str = "by_hand";

    async fn execute(_: Job<(), ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

/// Case 8: a node without any job said nothing.
#[tokio::test]
async fn case_08_an_empty_registry_is_an_error_with_its_reasons() {
    let error = Rexecutor::from_registry().with_backend(InMemoryBackend::new()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Invalid(_)), "{error}");
    let said = error.to_string();
    for part in ["write `#[job]` on a function", "use the_library as _;", ".with_executor::<"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test]
async fn case_08_an_executor_that_was_added_by_hand_is_enough() {
    let builder = Rexecutor::from_registry().with_backend(InMemoryBackend::new());
    builder.with_executor::<ByHand>().start().await.unwrap().graceful_shutdown().await;
}
