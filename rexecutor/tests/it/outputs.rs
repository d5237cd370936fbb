//! What jobs give, and waiting for it.

use std::{io, sync::Arc, time::Duration};

use rexecutor::{
    backend::memory::InMemoryBackend,
    executor::HasOutput,
    job::JobHandle,
    jobs_on_backend,
    prelude::*,
    results::{NoOutput, OutputError},
};
use rexecutor_testing::{TestClock, perform};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Thumbnail {
    path: String,
    bytes: u64,
}

#[job]
async fn resize(image: String) -> Result<Thumbnail, io::Error> {
    match &*image {
        "" => Err(io::Error::other("no image")),
        image => Ok(Thumbnail { path: format!("{image}.small"), bytes: 100 }),
    }
}

type Aliased<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// By an alias, with an optional output.
#[job]
async fn find(name: String) -> Aliased<Option<u32>> {
    Ok((name == "Ada").then_some(7))
}

#[job]
async fn plain(_number: u32) -> Result<(), String> {
    Ok(())
}

#[job]
async fn nothing() {}

#[job]
async fn decides(_number: u32) -> Result<ExecutionResult, String> {
    Ok(ExecutionResult::with_output(&()))
}

#[job(max_data_bytes = 10)]
async fn long(length: usize) -> Result<String, String> {
    Ok("x".repeat(length))
}

/// Encodes as no JSON.
#[derive(Debug)]
struct Unencodable;

impl Serialize for Unencodable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

#[job]
async fn gives_unencodable() -> Result<Unencodable, String> {
    Ok(Unencodable)
}

#[job]
async fn with_nul() -> Result<String, String> {
    Ok("a\0b".to_owned())
}

struct ByHand;

#[async_trait::async_trait]
impl Executor for ByHand {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = "by_hand";

    async fn execute(job: Job<u32, ()>) -> ExecutionResult {
        ExecutionResult::with_output(&(job.data + 1))
    }
}

impl HasOutput for ByHand {
    type Output = u32;
}

/// What the macro says that a job gives, by each way of writing it.
#[test]
fn case_15_1_the_macro_says_what_a_job_gives() {
    fn gives<E: HasOutput<Output = T>, T>() {}
    gives::<Resize, Thumbnail>();
    gives::<Find, Option<u32>>();
    gives::<Plain, ()>();
    gives::<Nothing, ()>();
    gives::<Decides, ()>();
}

#[rexecutor_testing::test]
async fn case_15_1_what_a_job_returns_is_its_output() {
    let small = perform::<Resize>("crab".to_owned()).await;
    assert_eq!(small.output::<Thumbnail>().unwrap().path, "crab.small");
    assert_eq!(perform::<Resize>(String::new()).await.output::<Thumbnail>(), None);
    assert_eq!(perform::<Find>("Ada".to_owned()).await.output::<Option<u32>>(), Some(Some(7)));
    for plain in [perform::<Plain>(1).await, perform::<Nothing>(()).await] {
        assert_eq!(plain.outcome(), &rexecutor::backend::Outcome::complete(true), "a plain job stays one");
    }
    assert_eq!(perform::<ByHand>(1).await.output::<u32>(), Some(2));
}

/// What cannot be stored discards the job, and says why: another attempt would repeat its effects.
#[rexecutor_testing::test]
async fn case_15_1_an_output_that_cannot_be_stored_discards_the_job() {
    assert!(perform::<Long>(8).await.is_complete());
    for (performed, words) in [
        (perform::<Long>(9).await, "the output: 11 bytes as JSON; the limit is 10"),
        (perform::<GivesUnencodable>(()).await, "the output does not encode as JSON: not today"),
        (perform::<WithNul>(()).await, "U+0000"),
    ] {
        assert!(performed.retry_delay().is_none());
        let error = performed.error().expect("it fails");
        assert_eq!(error.error_type, ErrorType::Output);
        assert!(error.details.contains(words), "{}", error.details);
    }
}

#[tokio::test]
async fn case_15_1_a_job_is_run_and_waited_for_by_its_handle() {
    let backend = Arc::new(InMemoryBackend::new());
    let node = Rexecutor::builder().with_backend(backend.clone()).with_executor::<ByHand>().with_executor::<Resize>();
    let node = node.with_executor::<Plain>().with_executor::<Find>().with_executor::<Long>().start().await.unwrap();
    let image = || Resize::builder().with_data("crab".to_owned());
    let handle: JobHandle<Resize> = image().enqueue_to_backend(&backend).await.unwrap();
    let outcome = Resize::wait_on_backend(handle, &backend).await.unwrap();
    let small = Thumbnail { path: "crab.small".to_owned(), bytes: 100 };
    assert_eq!(outcome, Outcome::Complete(small.clone()));
    assert_eq!(Resize::output_on_backend(handle, &backend).await.unwrap(), Some(small));
    assert_eq!(Resize::output_on_backend(handle.id(), &backend).await.unwrap().unwrap().bytes, 100);

    assert_eq!(Plain::run_on_backend(1, &backend).await.unwrap(), Outcome::Complete(()));
    assert_eq!(Find::run_on_backend("Bob".to_owned(), &backend).await.unwrap(), Outcome::Complete(None));
    assert_eq!(ByHand::run_on_backend(1, &backend).await.unwrap().into_output(), Ok(2));
    let too_long = Long::run_on_backend(20, &backend).await.unwrap().into_output();
    assert!(matches!(&too_long, Err(NoOutput::Discarded(error)) if error.contains("22 bytes")), "{too_long:?}");

    let seen = jobs_on_backend(&backend).get(handle).await.unwrap().expect("it is stored");
    assert_eq!((&*seen.executor, seen.status), ("resize", JobStatus::Complete));
    let json = serde_json::to_value(&seen).unwrap();
    assert_eq!(json["output"], serde_json::json!({"path": "crab.small", "bytes": 100}));
    assert_eq!(json["status"], "complete");
    assert!(json.get("data").is_none(), "what is not the page's to see stays out");
    node.graceful_shutdown().await;
    assert!(jobs_on_backend(&backend).get(JobId::from(1_000)).await.unwrap().is_none());
}

/// The output of another version of the program.
#[tokio::test]
async fn case_15_1_an_output_that_does_not_decode_is_an_error_and_a_late_one_runs_on() {
    let backend = Arc::new(InMemoryBackend::new().with_clock(TestClock::new()));
    let old = ByHand::builder().with_data(1).enqueue_to_backend(&backend).await.unwrap();
    let late = Resize::wait_on_backend(old.id(), &backend).await.unwrap();
    assert_eq!(late, Outcome::Gone, "another executor's");
    let late = ByHand::wait_on_backend(old, &backend).within(Duration::from_millis(1)).await.unwrap_err();
    assert!(matches!(late, OutputError::TimedOut { job, .. } if job == old.id()) && late.is_transient(), "{late}");

    use rexecutor::backend::{Claim, Demand, Maintain, Node, Outcome as End, Settle, Settlement};
    let node = backend.join(&Node::new("test", Duration::from_secs(10))).await.unwrap();
    let run = backend.claim(node, [Demand::new("by_hand", 1)].into()).await.unwrap().jobs.remove(0);
    backend.settle([Settlement::new(run.id, run.lease, End::complete_with(r#""two""#))].into()).await.unwrap();
    for error in [
        ByHand::output_on_backend(old, &backend).await.unwrap_err(),
        ByHand::wait_on_backend(old, &backend).await.unwrap_err(),
    ] {
        assert!(matches!(error, OutputError::Decode { executor: "by_hand", .. }) && !error.is_transient(), "{error}");
    }
}
