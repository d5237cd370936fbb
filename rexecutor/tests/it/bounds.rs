//! A job that would spin, or that cannot say when it is to run again.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use rexecutor::{
    backend::{Claim, Demand, Enqueue, Maintain, NewJob, Node, Outcome, Settle, Settlement},
    clock::Clock,
    enqueue_all_to_backend,
    limits::MIN_SNOOZE,
    prelude::*,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::{
    executor,
    runs::Final,
    support::{Tell, World, tell},
};

executor!(Spins, "spins", {}, |job| {
    Tell::of(&job).say(job.attempt);
    ExecutionResult::Snooze { delay: TimeDelta::seconds(i64::from(job.data) - 1) }
});

/// Case 21: a snooze by zero, or by less, ran 20,000 times a second.
#[tokio::test]
async fn case_21_a_snooze_by_zero_waits_for_a_moment() {
    for delay in [0, 1] {
        let world = World::new();
        let (tell, mut told) = tell();
        let node = world.node().with_state(tell).with_executor::<Spins>().start().await.unwrap();
        let id = Spins::builder().with_data(delay).enqueue_to_backend(&world.backend).await.unwrap().id();
        world.clock.settle().await;
        let row = world.row(id).await;
        assert_eq!(
            (row.status, row.attempt, row.scheduled_at),
            (JobStatus::Scheduled, 0, world.clock.now() + MIN_SNOOZE)
        );
        assert_eq!(told.all(), ["1"]);
        world.clock.advance(MIN_SNOOZE).await;
        world.clock.settle().await;
        assert_eq!(told.all(), ["1"], "and then it runs again");
        node.graceful_shutdown().await;
    }
}

executor!(
    BadBackoff,
    "bad_backoff",
    {
        fn backoff(_: &Job<u32, ()>) -> TimeDelta {
            panic!("no backoff")
        }
    },
    |job| {
        Tell::of(&job).say(job.data);
        if job.data == 0 { ExecutionResult::Done } else { Final(Disposition::Retry).into() }
    }
);

/// Case 21: a backoff that panics kept its job from running.
#[tokio::test]
async fn case_21_a_job_whose_backoff_panics_runs() {
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<BadBackoff>().start().await.unwrap();
    world.enqueue::<BadBackoff>(2).await;
    world.clock.settle().await;
    assert_eq!(told.all(), ["0", "1"]);
    let rows = world.rows().await;
    assert_eq!((rows[0].status, rows[1].status), (JobStatus::Complete, JobStatus::Retryable));
    assert_eq!(rows[1].errors[0].error_type.as_str(), "final", "the error is the job's own");
    let delay = (rows[1].scheduled_at - world.clock.now()).num_milliseconds();
    assert!((3_600..=4_400).contains(&delay), "the default backoff: {delay} ms");
    node.graceful_shutdown().await;
}

/// The warnings of the log.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Visit for Warnings {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let message = format!("{value:?}");
        // Of others, too, where many tests share a process.
        if field.name() == "message" && (message.contains("Snooze") || message.contains("again and again")) {
            self.0.lock().unwrap().push(message);
        }
    }
}

impl<S: Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::WARN {
            event.record(&mut self.clone());
        }
    }
}

/// Each enqueues the next one: by itself, in a call for many, or from a blocking thread.
#[job(unique(by = data))]
async fn refuses_itself(in_bulk: bool, context: JobContext, State(tell): State<Tell>) {
    let (next, backend) = (RefusesItself::builder().with_data(in_bulk), context.backend().unwrap());
    let answer = match in_bulk {
        true => enqueue_all_to_backend([next.encode().unwrap()], backend).await.unwrap()[0],
        false => next.enqueue_to_backend(backend).await.unwrap().enqueued(),
    };
    tell.say(answer.is_duplicate() && answer.id() == context.job_id());
}

#[job(blocking, unique(by = executor))]
async fn refuses_itself_on_a_thread(context: JobContext, State(tell): State<Tell>) {
    let backend = context.backend().unwrap();
    let answer = RefusesItselfOnAThread::builder().enqueue_to_backend(backend).await.unwrap();
    tell.say(answer.is_duplicate());
}

#[job(unique(by = executor, statuses = [scheduled]))]
async fn goes_on(left: u32, context: JobContext, State(tell): State<Tell>) {
    tell.say(left);
    let backend = context.backend().unwrap();
    // Another executor's job that is refused is nobody's chain.
    let _ = RefusesItself::builder().with_data(false).blocked().enqueue_to_backend(backend).await.unwrap();
    if left > 1 {
        assert!(!GoesOn::builder().with_data(left - 1).enqueue_to_backend(backend).await.unwrap().is_duplicate());
    }
}

/// Case 23: a unique job that enqueued its own successor was refused because of itself, and its chain ended without a word.
#[tokio::test]
async fn case_23_a_unique_job_that_ends_its_own_chain_is_told_in_the_log() {
    let warnings = Warnings::default();
    let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(warnings.clone()));
    let world = World::new();
    let (tell, mut told) = tell();
    let node = world.node().with_state(tell).with_executor::<RefusesItself>().with_executor::<GoesOn>();
    let node = node.with_executor::<RefusesItselfOnAThread>().start().await.unwrap();
    for (number, in_bulk) in [(1, false), (2, true)] {
        let job = RefusesItself::builder().with_data(in_bulk);
        let _ = job.enqueue_to_backend(&world.backend).await.unwrap();
        world.clock.settle().await;
        assert_eq!(told.all(), ["true"]);
        let warnings = warnings.0.lock().unwrap().clone();
        assert!(warnings.len() == number && warnings[number - 1].contains("ExecutionResult::Snooze"), "{warnings:?}");
    }
    let _ = GoesOn::builder().with_data(3).enqueue_to_backend(&world.backend).await.unwrap();
    world.clock.settle().await;
    assert_eq!(told.all(), ["3", "2", "1"], "with `executing` left out of the statuses it goes on");
    assert_eq!(warnings.0.lock().unwrap().len(), 2);
    let _ = RefusesItselfOnAThread::builder().enqueue_to_backend(&world.backend).await.unwrap();
    assert_eq!(told.next().await, "true");
    node.graceful_shutdown().await;
}

/// Case 23: a job may snooze for ever; a number of 16 bits does not count it.
#[tokio::test]
async fn case_23_seventy_thousand_snoozes_leave_a_job_as_it_was() {
    let world = World::new();
    let _ = world.backend.enqueue(vec![NewJob::new("polls", "1").with_max_attempts(2)]).await.unwrap();
    let member = world.backend.join(&Node::new("", std::time::Duration::from_secs(60))).await.unwrap();
    for lease in 1..=70_000 {
        let mut claimed = world.backend.claim(member, [Demand::new("polls", 1)].into()).await.unwrap().jobs;
        let row = claimed.remove(0);
        assert_eq!((row.attempt, row.lease.0, row.errors.len()), (1, lease, 0));
        let snooze = Settlement::new(row.id, row.lease, Outcome::snooze(TimeDelta::zero()));
        assert_eq!(world.backend.settle([snooze].into()).await.unwrap(), []);
    }
    let row = world.rows().await.remove(0);
    assert_eq!((row.status, row.attempt, row.lease.0), (JobStatus::Scheduled, 0, 70_000));
}

executor!(Endless, "endless", {}, |_job| ExecutionResult::Snooze { delay: MIN_SNOOZE });

#[tokio::test]
async fn case_23_a_job_that_snoozes_on_and_on_is_told_in_the_log() {
    let warnings = Warnings::default();
    let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(warnings.clone()));
    let world = World::new();
    let node = world.node().with_executor::<Endless>().start().await.unwrap();
    world.enqueue::<Endless>(1).await;
    world.clock.advance(MIN_SNOOZE * 998).await;
    assert_eq!(*warnings.0.lock().unwrap(), [""; 0]);
    world.clock.advance(MIN_SNOOZE * 100).await;
    let warnings = warnings.0.lock().unwrap().clone();
    assert!(warnings.len() == 1 && warnings[0].contains("again and again"), "{warnings:?}");
    node.graceful_shutdown().await;
}

/// Case 22: of 65,536 priorities with jobs for later, a claim took half a second to find one that was due.
#[tokio::test]
async fn case_22_a_priority_is_at_most_999() {
    let world = World::new();
    let build = |priority| Spins::builder().with_data(1).with_priority(priority);
    let id = build(999).enqueue_to_backend(&world.backend).await.unwrap().id();
    let error = build(1_000).encode().unwrap_err();
    assert_eq!(error.to_string(), "priority: 1000; the limit is 999");
    let mut jobs = Spins::query_jobs_on_backend(Where::id_equals(id), &*world.backend).await.unwrap();
    let mut job = jobs.remove(0);
    job.priority = 1_000;
    let error = Spins::update_job_on_backend(job, &*world.backend).await.unwrap_err();
    assert!(error.to_string().contains("priority: 1000; the limit is 999"), "{error}");
}
