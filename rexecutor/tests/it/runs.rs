//! What becomes of a run, whatever the job does.

use std::time::Duration;

use rexecutor::{backend::Due, prelude::*};

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(Works, "works", {}, |job| {
    Tell::of(&job).say(job.data);
    ExecutionResult::Done
});

#[tokio::test]
async fn every_job_runs_once_and_is_complete() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<Works>().start().await.unwrap();
    for data in 0..500 {
        let _ = Works::builder().with_data(data).enqueue_to_backend(&world.backend).await.unwrap();
    }
    world.clock.settle().await;
    node.graceful_shutdown().await;
    assert_eq!(told.all(), (0..500).map(|data| data.to_string()).collect::<Vec<_>>());
    let rows = world.rows().await;
    assert!(rows.iter().all(|row| row.status == JobStatus::Complete && row.attempt == 1 && row.node.is_none()));
}

executor!(
    Panics,
    "panics",
    {
        const MAX_ATTEMPTS: u16 = 2;
    },
    |job| panic!("no {}", job.data)
);

#[tokio::test]
async fn a_panic_is_a_failed_attempt_and_the_last_one_discards() {
    let world = World::new();
    let node = world.node().with_executor::<Panics>().start().await.unwrap();
    let id = Panics::builder().with_data(7).enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    let row = world.row(id).await;
    assert_eq!((row.status, row.errors[0].error_type.clone()), (JobStatus::Retryable, ErrorType::Panic));
    assert_eq!(row.errors[0].details, "no 7");
    world.seconds(10).await;
    assert_eq!(world.row(id).await.status, JobStatus::Discarded);
    node.graceful_shutdown().await;
}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "dropped");
    }
}

struct Treacherous;

#[async_trait::async_trait]
impl Executor for Treacherous {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = "treacherous";

    async fn execute(job: Job<u32, ()>) -> ExecutionResult {
        let _trap = PanicsOnDrop;
        match job.data {
            3 => std::panic::panic_any(PanicsOnDrop),
            4 => std::future::pending().await,
            _ => ExecutionResult::Done,
        }
    }

    fn backoff(job: &Job<u32, ()>) -> TimeDelta {
        assert_ne!(job.data, 1, "in backoff");
        TimeDelta::MAX
    }

    fn timeout(job: &Job<u32, ()>) -> Option<Duration> {
        assert_ne!(job.data, 2, "in timeout");
        Some(Duration::from_secs(5))
    }
}

/// Trap 10: a panic in `timeout()`, `backoff()` or a Drop kills the executor's loop, not the attempt.
#[tokio::test]
async fn trap_10_a_panic_anywhere_is_that_attempts_alone() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node =
        world.node().with_state(tell).with_executor::<Treacherous>().with_executor::<Works>().start().await.unwrap();
    for data in 0..5 {
        let _ = Treacherous::builder().with_data(data).enqueue_to_backend(&world.backend).await.unwrap();
    }
    world.seconds(11).await;
    let rows = world.rows().await;
    let details: Vec<_> = rows.iter().map(|row| row.errors[0].details.as_str()).collect();
    assert!(details[0].contains("dropped"), "{details:?}");
    assert!(details[1].contains("dropped") && details[2].contains("in timeout"), "{details:?}");
    assert!(details[4].contains("dropped"), "{details:?}");
    assert!(rows.iter().all(|row| row.status == JobStatus::Retryable && row.errors[0].error_type == ErrorType::Panic));
    let _ = Works::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    assert_eq!(told.next().await, "1", "the node goes on");
    node.graceful_shutdown().await;
}

#[job(timeout = "30s", max_attempts = 2)]
async fn slow(context: JobContext, State(tell): State<Tell>) {
    let watcher = context.clone();
    tokio::spawn(async move {
        watcher.cancellation().cancelled().await;
        tell.say("asked to stop");
    });
    std::future::pending().await
}

#[tokio::test]
async fn a_job_that_runs_out_of_time_is_dropped_and_retried() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<Slow>().start().await.unwrap();
    let id = Slow::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.seconds(29).await;
    assert_eq!(world.row(id).await.status, JobStatus::Executing);
    assert_eq!(told.all(), [""; 0]);
    world.seconds(1).await;
    assert_eq!(told.next().await, "asked to stop");
    assert_eq!(world.row(id).await.status, JobStatus::Executing, "it has its grace");
    world.seconds(5).await;
    world.clock.settle().await;
    let row = world.row(id).await;
    assert_eq!((row.status, row.errors[0].error_type.clone()), (JobStatus::Retryable, ErrorType::Timeout));
    node.graceful_shutdown().await;
}

executor!(
    Snoozes,
    "snoozes",
    {
        const MAX_ATTEMPTS: u16 = 1;
    },
    |job| {
        Tell::of(&job).say(job.attempt);
        ExecutionResult::Snooze { delay: TimeDelta::seconds(60) }
    }
);

#[tokio::test]
async fn a_snooze_comes_back_and_uses_up_no_attempt() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<Snoozes>().start().await.unwrap();
    let _ = Snoozes::builder().with_data(0).enqueue_to_backend(&world.backend).await.unwrap();
    world.seconds(60 * 4 + 1).await;
    assert_eq!(told.all(), ["1"; 5]);
    node.graceful_shutdown().await;
}

pub(crate) struct Final(pub(crate) Disposition);

impl std::fmt::Display for Final {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it says so")
    }
}

impl ExecutionError for Final {
    fn error_type(&self) -> &'static str {
        "final"
    }

    fn disposition(&self) -> Disposition {
        self.0.clone()
    }
}

executor!(Decides, "decides", {}, |job| match job.data {
    0 => Final(Disposition::Discard).into(),
    1 => Final(Disposition::Cancel).into(),
    2 => Final(Disposition::RetryAfter(TimeDelta::seconds(90))).into(),
    _ => ExecutionResult::Cancel { reason: Box::new("not needed") },
});

#[tokio::test]
async fn an_error_decides_what_happens_next() {
    let world = World::new();
    let node = world.node().with_executor::<Decides>().start().await.unwrap();
    for data in 0..4 {
        let _ = Decides::builder().with_data(data).enqueue_to_backend(&world.backend).await.unwrap();
    }
    world.clock.settle().await;
    let rows = world.rows().await;
    let statuses: Vec<_> = rows.iter().map(|row| row.status).collect();
    use JobStatus::{Cancelled, Discarded, Retryable};
    assert_eq!(statuses, [Discarded, Cancelled, Retryable, Cancelled]);
    assert_eq!(rows[0].errors[0].error_type, ErrorType::Other("final".to_owned()));
    assert_eq!(rows[1].extras.cancel_reason.as_deref(), Some("it says so"));
    assert_eq!(rows[2].scheduled_at, rexecutor_testing::TestClock::START + TimeDelta::seconds(90));
    assert_eq!(rows[3].extras.cancel_reason.as_deref(), Some("not needed"));
    node.graceful_shutdown().await;
}

#[derive(Debug, thiserror::Error)]
#[error("could not send")]
struct SendError(#[source] std::io::Error);

#[job]
async fn returns_errors() -> Result<(), SendError> {
    Err(SendError(std::io::Error::other("connection refused")))
}

#[tokio::test]
async fn an_error_is_stored_with_its_causes_and_its_types_name() {
    let world = World::new();
    let node = world.node().with_executor::<ReturnsErrors>().start().await.unwrap();
    let id = ReturnsErrors::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    let error = world.row(id).await.errors.remove(0);
    assert_eq!(error.details, "could not send: connection refused");
    assert!(error.error_type.as_str().ends_with("SendError"), "{}", error.error_type);
    node.graceful_shutdown().await;
}

fn expired() -> Result<(), JobFailure> {
    Err(JobFailure::discard(SendError(std::io::Error::other("the card has expired"))))
}

#[job]
async fn discards_by_anyhow() -> anyhow::Result<()> {
    use anyhow::Context;
    expired().context("could not charge")?;
    Ok(())
}

#[job]
async fn retries_later_by_eyre() -> eyre::Result<()> {
    Err(JobFailure::retry_after(TimeDelta::seconds(90), "busy"))?;
    Ok(())
}

#[job]
async fn cancels_by_box() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Err(JobFailure::cancel("nothing to do"))?;
    Ok(())
}

#[tokio::test]
async fn a_returned_error_decides_through_whatever_wraps_it() {
    let world = World::new();
    let node = world.node().with_executor::<DiscardsByAnyhow>().with_executor::<RetriesLaterByEyre>();
    let node = node.with_executor::<CancelsByBox>().start().await.unwrap();
    let discarded = DiscardsByAnyhow::builder().enqueue_to_backend(&world.backend).await.unwrap();
    let later = RetriesLaterByEyre::builder().enqueue_to_backend(&world.backend).await.unwrap();
    let cancelled = CancelsByBox::builder().enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    let row = world.row(discarded).await;
    assert_eq!(row.status, JobStatus::Discarded);
    assert_eq!(row.errors[0].details, "could not charge: could not send: the card has expired");
    let row = world.row(later).await;
    let due = rexecutor_testing::TestClock::START + TimeDelta::seconds(90);
    assert_eq!((row.status, row.scheduled_at, row.errors[0].details.as_str()), (JobStatus::Retryable, due, "busy"));
    let row = world.row(cancelled).await;
    assert_eq!((row.status, row.extras.cancel_reason.as_deref()), (JobStatus::Cancelled, Some("nothing to do")));
    node.graceful_shutdown().await;
}

/// Trap 9: data that no longer decodes is logged and left executing for ever. They wait for somebody who can read them.
#[tokio::test]
async fn trap_09_data_that_do_not_decode_are_not_left_executing() {
    use rexecutor::backend::Enqueue;
    let world = World::new();
    let good = Works::builder().with_data(1).with_max_attempts(1).encode().unwrap();
    let bad = |data: &str| good.clone().with_data(data.to_owned()).with_due(Due::Now);
    let _ = world.backend.enqueue(vec![bad("\"text\""), bad("no JSON"), bad("")]).await.unwrap();
    let node = world.node().with_executor::<Works>().start().await.unwrap();
    world.clock.settle().await;
    for row in world.rows().await {
        assert_eq!((row.status, row.errors[0].error_type.clone()), (JobStatus::Scheduled, ErrorType::Decode));
    }
    node.graceful_shutdown().await;
}

#[job(blocking)]
async fn blocks(State(tell): State<Tell>) -> std::io::Result<()> {
    // Blocks its thread for an event, then uses tokio's timers, tasks and sockets.
    let (sender, receiver) = std::sync::mpsc::channel();
    tokio::spawn(async move { sender.send(()) });
    receiver.recv().map_err(std::io::Error::other)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let accepted = tokio::spawn(async move { listener.accept().await.map(|_| ()) });
    tokio::net::TcpStream::connect(address).await?;
    accepted.await??;
    rexecutor::clock::Clock::sleep(&rexecutor::clock::SystemClock, Duration::from_millis(1)).await;
    tell.say("done");
    Ok(())
}

/// Trap 45: `spawn_blocking(block_on(..))` outside the runtime's context: timers and I/O in the job panic.
#[tokio::test]
async fn trap_45_a_blocking_job_has_timers_and_sockets() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<Blocks>().start().await.unwrap();
    let id = Blocks::builder().enqueue_to_backend(&world.backend).await.unwrap();
    assert_eq!(told.next().await, "done");
    node.graceful_shutdown().await;
    assert_eq!(world.row(id).await.status, JobStatus::Complete);
}
