//! What people are told of jobs that fail, and of jobs that nobody runs.

use std::sync::{Arc, Mutex};

use rexecutor::{
    backend::{Enqueue, NewJob},
    executor::IntoExecutionResult,
    node::JobEventKind,
    prelude::*,
};
use tracing::Level;

use crate::{
    executor,
    log::{Line, listen},
    support::World,
};

#[derive(Debug, thiserror::Error)]
#[error("could not send the mail")]
struct Mail(#[source] std::io::Error);

#[job(max_attempts = 2, backoff = constant("10s"))]
async fn mails(_to: String) -> Result<(), Mail> {
    Err(Mail(std::io::Error::other("connection refused")))
}

#[job(max_attempts = 2, backoff = constant("10s"))]
async fn panicking(_data: u32) {
    panic!("out of paper")
}

#[job(max_attempts = 2, backoff = constant("10s"), timeout = "1s")]
async fn slow(_data: u32, context: JobContext) {
    context.cancellation().cancelled().await;
}

#[job(max_attempts = 5)]
async fn hopeless(_data: u32) -> Result<(), JobFailure> {
    Err(JobFailure::discard("the card has expired"))
}

/// What a line says of the attempt.
fn attempt(line: &Line) -> [&str; 6] {
    let [id, executor] = ["job.id", "job.executor"].map(|name| line.field(name));
    let [attempt, of, kind] = ["job.attempt", "job.max_attempts", "job.error_type"].map(|name| line.field(name));
    [id, executor, attempt, of, kind, line.field("error")]
}

/// Case 5: at `RUST_LOG=info` a failed, discarded, panicked or undecodable job left no line.
#[tokio::test]
async fn case_05_a_failed_attempt_is_a_warning_and_a_discarded_job_an_error() {
    let (log, _guard) = listen();
    let world = World::new();
    let node = world.node().with_executor::<Mails>().with_executor::<Panicking>().with_executor::<Slow>();
    let node = node.with_executor::<Hopeless>().start().await.unwrap();
    let undecodable = NewJob::new("mails", "[1]").with_max_attempts(2);
    let jobs = vec![
        Mails::builder().with_data("bob".to_owned()).encode().unwrap(),
        undecodable,
        Panicking::builder().with_data(1).encode().unwrap(),
        Slow::builder().with_data(1).encode().unwrap(),
    ];
    let _ = world.backend.enqueue(jobs).await.unwrap();
    world.seconds(1).await;
    let at = |seconds| (rexecutor_testing::TestClock::START + TimeDelta::seconds(seconds)).to_string();
    let mut failed = log.take(Level::WARN);
    failed.sort_by_key(|line| line.field("job.id").to_owned());
    let own = std::any::type_name::<Mail>();
    assert_eq!(attempt(&failed[0]), ["1", "mails", "1", "2", own, "could not send the mail: connection refused"]);
    assert_eq!(attempt(&failed[1])[..2], ["2", "mails"]);
    assert!(failed[1].field("error").contains("invalid type: sequence, expected a string"), "{:?}", failed[1]);
    assert_eq!(attempt(&failed[2]), ["3", "panicking", "1", "2", "panic", "out of paper"]);
    assert_eq!(attempt(&failed[3]), ["4", "slow", "1", "2", "timeout", "ran for longer than 1s"]);
    let next = failed.iter().map(|line| line.field("job.next_attempt_at")).collect::<Vec<_>>();
    assert_eq!([next[0], next[2], next[3]], [&at(10), &at(10), &at(11)].map(String::as_str));
    let unread = failed.remove(1);
    let said = "this version of the program cannot read the job, which waits for another one";
    assert_eq!((unread.message.as_str(), unread.field("job.next_attempt_at")), (said, at(1).as_str()));
    assert!(failed.iter().all(|line| line.message == "job failed and is tried again"), "{failed:?}");
    assert_eq!(log.take(Level::ERROR), []);

    world.seconds(100).await;
    let mut discarded = log.take(Level::ERROR);
    discarded.sort_by_key(|line| line.field("job.id").to_owned());
    assert_eq!(attempt(&discarded[0]), ["1", "mails", "2", "2", own, "could not send the mail: connection refused"]);
    assert_eq!(discarded.len(), 3, "the one that cannot be read waits, and no line says so again");
    assert!(discarded.iter().all(|line| line.message == "job failed and is discarded"), "{discarded:?}");
    assert!(discarded.iter().all(|line| line.field("job.next_attempt_at").is_empty()), "there is none");
    assert_eq!(log.take(Level::WARN), []);
    assert_eq!(world.rows().await.iter().filter(|row| row.status == JobStatus::Discarded).count(), 3);

    let _ = Hopeless::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    world.seconds(1).await;
    let discarded = log.take(Level::ERROR);
    assert_eq!(attempt(&discarded[0])[1..4], ["hopeless", "1", "5"]);
    assert_eq!((discarded.len(), discarded[0].field("error")), (1, "the card has expired"));
    node.graceful_shutdown().await;
}

executor!(Ends, "ends", {}, |job| match job.data {
    0 => ExecutionResult::Done,
    1 => ExecutionResult::Snooze { delay: TimeDelta::hours(1) },
    2 => ExecutionResult::Cancel { reason: Box::new("no need") },
    _ => {
        job.context().cancellation().cancelled().await;
        Err::<(), _>(JobFailure::discard("interrupted")).into_execution_result()
    }
});

/// One word for each event.
fn hear(heard: &Arc<Mutex<Vec<String>>>) -> impl Fn(&rexecutor::node::JobEvent<'_>) + Send + Sync + 'static {
    let heard = heard.clone();
    move |event| {
        let said = match event.kind {
            JobEventKind::Started => "started".to_owned(),
            JobEventKind::Completed { took, .. } => format!("completed after {took:?}"),
            JobEventKind::Failed { error, next_attempt_at, .. } => {
                let wait = next_attempt_at - event.job.clock().now();
                format!("failed: {}, again in {} s", error.details, wait.num_seconds())
            }
            JobEventKind::Discarded { error, took, .. } => format!("discarded after {took:?}: {}", error.details),
            JobEventKind::Cancelled { reason, .. } => format!("cancelled: {reason:?}"),
            JobEventKind::Snoozed { until, .. } => {
                format!("snoozed for {} min", (until - event.job.clock().now()).num_minutes())
            }
            JobEventKind::Deferred { error, .. } => format!("deferred: {}", error.error_type.as_str()),
            JobEventKind::GivenBack { .. } => "given back".to_owned(),
            _ => "?".to_owned(),
        };
        heard.lock().unwrap().push(format!("{} {said}", event.job.executor()));
    }
}

/// What was heard but for the beginnings.
fn ends(heard: &Arc<Mutex<Vec<String>>>) -> Vec<String> {
    std::mem::take(&mut *heard.lock().unwrap()).into_iter().filter(|said| !said.ends_with("started")).collect()
}

#[tokio::test]
async fn case_05_a_hook_is_told_of_each_run_and_how_it_ended() {
    let (world, heard) = (World::new(), Arc::default());
    let node = world.node().on_event(hear(&heard)).with_executor::<Ends>().with_executor::<Mails>();
    let node = node.with_executor::<Slow>().start().await.unwrap();
    for data in 0..3 {
        let _ = Ends::builder().with_data(data).enqueue_to_backend(&world.backend).await.unwrap();
    }
    world.seconds(1).await;
    let begun = heard.lock().unwrap().iter().filter(|said| *said == "ends started").count();
    assert_eq!(begun, 3);
    let expected = ["ends completed after 0ns", "ends snoozed for 60 min", "ends cancelled: Some(\"no need\")"];
    assert_eq!(ends(&heard), expected);

    let cancelled = Ends::builder().with_data(3).enqueue_to_backend(&world.backend).await.unwrap().id();
    world.seconds(1).await;
    Ends::cancel_job_on_backend(cancelled, Box::new("enough"), &world.backend).await.unwrap();
    world.seconds(5).await;
    assert_eq!(ends(&heard), ["ends cancelled: None"], "it was discarded by its own words, and is stored as cancelled");
    assert_eq!(world.row(cancelled).await.status, JobStatus::Cancelled);

    let _ = Mails::builder().with_data("bob".to_owned()).enqueue_to_backend(&world.backend).await.unwrap();
    let _ = Slow::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap();
    world.seconds(12).await;
    let expected = [
        "mails failed: could not send the mail: connection refused, again in 10 s",
        "slow failed: ran for longer than 1s, again in 10 s",
        "mails discarded after 0ns: could not send the mail: connection refused",
        "slow discarded after 1s: ran for longer than 1s",
    ];
    assert_eq!(ends(&heard), expected);
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn case_05_a_hook_that_panics_harms_nothing_and_is_told_of() {
    let (log, _guard) = listen();
    let (world, heard) = (World::new(), Arc::default());
    let node = world.node().on_event(|event| panic!("no network for {}", event.job.job_id())).on_event(hear(&heard));
    let node = node.with_executor::<Ends>().start().await.unwrap();
    let id = Ends::builder().with_data(0).enqueue_to_backend(&world.backend).await.unwrap();
    world.seconds(1).await;
    assert_eq!(world.row(id).await.status, JobStatus::Complete);
    assert_eq!(*heard.lock().unwrap(), ["ends started", "ends completed after 0ns"], "the other one is called");
    let said = log.take(Level::ERROR);
    assert!(said.iter().all(|line| line.message == "a function given to `on_event` panicked"), "{said:?}");
    assert_eq!((said.len(), said[0].field("panic")), (2, "no network for 1"));
    node.graceful_shutdown().await;
}

/// Case 8: stored jobs of a renamed function waited for ever without a line.
#[tokio::test]
async fn case_08_a_node_says_which_jobs_no_living_node_runs() {
    let (log, _guard) = listen();
    let world = World::new();
    let _ = world.backend.enqueue(vec![NewJob::new("send_email", "1"); 12]).await.unwrap();
    let said = || log.take(Level::WARN).into_iter().map(|line| line.message).collect::<Vec<_>>();
    let node = world.node().with_executor::<Ends>().start().await.unwrap();
    world.seconds(2).await;
    assert_eq!(said(), ["12 jobs wait for `send_email`, which no live node runs"]);
    let _ = world.backend.enqueue(vec![NewJob::new("shred", "1")]).await.unwrap();
    world.seconds(65).await;
    assert_eq!(said(), ["1 job waits for `shred`, which no live node runs"], "what was said once is not repeated");

    // Another node has it, and dies; then it is said again.
    executor!(Shred, "shred", {}, |_job| ExecutionResult::Snooze { delay: TimeDelta::days(1) });
    let other = world.node().with_executor::<Shred>().start().await.unwrap();
    world.seconds(65).await;
    assert_eq!(said(), ["12 jobs wait for `send_email`, which no live node runs"], "the other one says it, too");
    other.graceful_shutdown().await;
    world.seconds(65).await;
    assert_eq!(said(), ["1 job waits for `shred`, which no live node runs"]);
    node.graceful_shutdown().await;
}

/// Executors that are added one by one are known before anybody looks.
#[tokio::test]
async fn case_08_nothing_is_said_of_executors_that_come_with_the_next_call() {
    let (log, _guard) = listen();
    let world = World::new();
    for executor in ["ends", "mails"] {
        let _ = world
            .backend
            .enqueue(vec![NewJob::new(executor, "0").with_blocked(true), NewJob::new(executor, "1")])
            .await
            .unwrap();
    }
    let node = world.node().with_executor::<Ends>().start().await.unwrap();
    world.clock.settle().await;
    let node = node.with_executor::<Mails>();
    world.seconds(100).await;
    assert!(!log.take(Level::WARN).iter().any(|line| line.message.contains("no live node")));
    node.graceful_shutdown().await;
}
