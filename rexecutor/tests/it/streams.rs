//! What jobs stream while they run.

use std::sync::Arc;

use futures::FutureExt;

use rexecutor::{
    backend::{Backend, memory::InMemoryBackend, streams},
    jobs_on_backend,
    limits::MAX_STREAM_BYTES,
    prelude::*,
    results::{Chunk, Offset},
};
use rexecutor_testing::{Fault, Faulty, Operation, TestClock, perform};
use tokio::sync::Semaphore;

#[job(max_attempts = 2)]
async fn answer(words: Vec<String>, context: JobContext, State(go): State<Arc<Semaphore>>) -> Result<(), EmitError> {
    for word in words {
        go.acquire().await.map_err(|_| rexecutor::backend::BackendError::message("it is closed"))?.forget();
        context.emit(word).await?;
    }
    Ok(())
}

#[job]
async fn other() {}

fn words(text: &str) -> Vec<String> {
    text.split_inclusive(' ').map(ToOwned::to_owned).collect()
}

async fn texts(mut chunks: rexecutor::results::Chunks) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(chunk) = chunks.next().await {
        texts.push(chunk.unwrap().text);
    }
    texts
}

#[tokio::test]
async fn case_15_3_a_stream_is_followed_while_the_job_runs_and_read_again_from_anywhere() {
    let (backend, go) = (Arc::new(InMemoryBackend::new()), Arc::new(Semaphore::new(0)));
    let job = Answer::builder().with_data(words("to be or not to be")).enqueue_to_backend(&backend).await.unwrap();
    let node = Rexecutor::builder().with_backend(backend.clone()).with_state(go.clone());
    let node = node.with_executor::<Answer>().start().await.unwrap();
    let mut chunks = Answer::chunks_on_backend(job, &backend);
    go.add_permits(1);
    let first = chunks.next().await.expect("it runs").unwrap();
    assert_eq!((first.text.as_str(), first.attempt), ("to ", 1));
    // It is not lost that somebody stops to wait.
    assert!(chunks.next().now_or_never().is_none());
    go.add_permits(5);
    let mut left = vec![first.clone()];
    while let Some(chunk) = chunks.next().await {
        left.push(chunk.unwrap());
    }
    assert_eq!(left.iter().map(|chunk| &*chunk.text).collect::<String>(), "to be or not to be");
    assert!(left.is_sorted_by_key(|chunk| chunk.offset));
    assert_eq!(Answer::status_of(&backend, job).await, JobStatus::Complete);

    let from: Offset = first.offset.to_string().parse().unwrap();
    let again = texts(jobs_on_backend(&backend).chunks(job).after(from)).await;
    assert_eq!(again.concat(), "be or not to be");
    let json = serde_json::to_string(&left[0]).unwrap();
    assert_eq!(serde_json::from_str::<Chunk>(&json).unwrap(), left[0]);
    // Of another executor's job, and of one that there is not, nothing is told.
    assert_eq!(texts(Other::chunks_on_backend(job.id(), &backend)).await, [""; 0]);
    assert_eq!(texts(Answer::chunks_on_backend(JobId::from(99), &backend)).await, [""; 0]);
    node.graceful_shutdown().await;
}

trait StatusOf: Executor + Sized {
    async fn status_of<B: Backend>(backend: &B, job: JobHandle<Self>) -> JobStatus {
        backend.query(&rexecutor::backend::Filter::IdIn(vec![job.id()]), 1).await.unwrap().remove(0).status
    }
}

impl<E: Executor> StatusOf for E {}

/// Whoever reads the stream of a job that has ended has all of it, whatever became of the calls that stored it.
#[tokio::test]
async fn case_15_3_all_that_a_run_streams_is_stored_before_its_end_in_few_statements() {
    let (clock, go) = (TestClock::new(), Arc::new(Semaphore::new(10_000)));
    let memory = Arc::new(InMemoryBackend::new().with_clock(clock.clone()));
    let backend = Arc::new(Faulty::new(memory.clone()));
    // An answer is lost, too.
    backend.inject(Fault::lost_answer().on([Operation::Settle]).nth(2));
    let node = Rexecutor::builder().with_backend(backend.clone()).with_clock(clock.clone()).with_state(go);
    let node = node.with_executor::<Answer>().start().await.unwrap();
    let text = vec!["word ".to_owned(); 500];
    let mut jobs = Vec::new();
    for _ in 0..10 {
        jobs.push(Answer::builder().with_data(text.clone()).enqueue_to_backend(&backend).await.unwrap());
    }
    // Whoever has ended waits for no pause; the time is for the answer that is lost.
    clock.advance(TimeDelta::seconds(2)).await;
    clock.settle().await;
    for job in jobs {
        assert_eq!(Answer::status_of(&memory, job).await, JobStatus::Complete);
        assert_eq!(texts(Answer::chunks_on_backend(job, &memory)).await, text);
    }
    let statements = backend.calls(Operation::Settle);
    assert!(statements <= 30, "{statements} statements for 5,000 chunks, and for the ends of ten jobs");
    node.graceful_shutdown().await;
}

#[job(max_attempts = 2)]
async fn floods(context: JobContext) -> Result<(), String> {
    context.emit("x".repeat(MAX_STREAM_BYTES / 2)).await.map_err(|error| error.to_string())?;
    if !context.is_last_attempt() {
        return Err("once more".to_owned());
    }
    let full = context.emit("x").await.unwrap_err();
    assert!(!full.is_transient() && full.to_string().contains("4194304 bytes"), "{full}");
    Ok(())
}

#[tokio::test]
async fn case_15_3_the_stream_of_a_job_is_bounded_over_all_its_attempts() {
    let clock = TestClock::new();
    let backend = Arc::new(InMemoryBackend::new().with_clock(clock.clone()));
    let node = Rexecutor::builder().with_backend(backend.clone()).with_clock(clock.clone());
    let node = node.with_executor::<Floods>().start().await.unwrap();
    let job = Floods::builder().enqueue_to_backend(&backend).await.unwrap();
    clock.settle().await;
    assert_eq!(Floods::status_of(&backend, job).await, JobStatus::Retryable);
    clock.advance(TimeDelta::hours(1)).await;
    clock.settle().await;
    assert_eq!(Floods::status_of(&backend, job).await, JobStatus::Complete);
    let bytes = streams(&backend).unwrap().stream_bytes(job.id()).await.unwrap();
    assert_eq!(bytes, u64::try_from(MAX_STREAM_BYTES).unwrap());
    let stream = streams(&backend).unwrap().chunks(job.id(), Offset::START, 10_000).await.unwrap();
    assert_eq!(stream.last().map(|chunk| chunk.attempt), Some(2));
    node.graceful_shutdown().await;
}

/// A backend that is away for a moment.
#[tokio::test]
async fn case_15_3_what_is_streamed_while_the_backend_is_away_is_stored_once_it_is_back() {
    let (clock, go) = (TestClock::new(), Arc::new(Semaphore::new(9)));
    let backend = Arc::new(InMemoryBackend::new().with_clock(clock.clone()));
    let faulty = Arc::new(Faulty::new(backend.clone()));
    faulty.inject(Fault::error().on([Operation::Settle]).times(3));
    let node = Rexecutor::builder().with_backend(faulty.clone()).with_clock(clock.clone()).with_state(go);
    let node = node.with_executor::<Answer>().start().await.unwrap();
    let job = Answer::builder().with_data(words("to be")).enqueue_to_backend(&backend).await.unwrap();
    clock.settle().await;
    assert_eq!(Answer::status_of(&backend, job).await, JobStatus::Executing, "its end waits for its words");
    clock.advance(TimeDelta::seconds(9)).await;
    clock.settle().await;
    assert_eq!(Answer::status_of(&backend, job).await, JobStatus::Complete);
    assert_eq!(texts(Answer::chunks_on_backend(job, &backend)).await.concat(), "to be");
    node.graceful_shutdown().await;
}

#[rexecutor_testing::test]
async fn case_15_3_a_test_sees_what_one_run_streams() {
    let go = Arc::new(Semaphore::new(4));
    let performed = perform::<Answer>(words("or not to")).with_state(go.clone()).await;
    assert_eq!(performed.chunks(), ["or ", "not ", "to"]);
    let performed = perform::<Answer>(words("be")).with_state(go).await;
    assert_eq!(performed.chunks(), ["be"]);
    assert_eq!(perform::<Other>(()).await.chunks(), [""; 0]);
}
