//! What the log is told of a run.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use rexecutor::prelude::*;
use tracing::{
    Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

use crate::{log::Fields, support::World};

#[job(max_attempts = 2, backoff = constant("1h"))]
async fn fails(why: String) -> Result<(), String> {
    Err(why)
}

#[job]
async fn succeeds() {}

/// The fields of each span by its number, as they are at last.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<BTreeMap<u64, BTreeMap<String, String>>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if attributes.metadata().name() == "job.run" {
            attributes.record(&mut Fields(self.0.lock().unwrap().entry(id.into_u64()).or_default()));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some(fields) = self.0.lock().unwrap().get_mut(&id.into_u64()) {
            values.record(&mut Fields(fields));
        }
    }
}

/// Trap 48: recording a field that the span did not declare silently does nothing.
#[tokio::test]
async fn case_05_trap_48_a_runs_span_says_which_job_it_is_and_how_it_ended() {
    let spans = Spans::default();
    let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));
    let world = World::new();
    let node = world.node().with_executor::<Fails>().with_executor::<Succeeds>().start().await.unwrap();
    let failing = Fails::builder().with_data("no".to_owned()).enqueue_to_backend(&world.backend).await.unwrap().id();
    world.seconds(1).await;
    let succeeding = Succeeds::builder().enqueue_to_backend(&world.backend).await.unwrap().id();
    world.seconds(1).await;
    // Case 5: the span of a job's last attempt said "retried".
    let ending = Fails::builder().with_data("no".to_owned()).with_max_attempts(1);
    let ending = ending.enqueue_to_backend(&world.backend).await.unwrap().id();
    world.seconds(1).await;
    assert_eq!(world.row(ending).await.status, JobStatus::Discarded);
    node.graceful_shutdown().await;
    let spans = spans.0.lock().unwrap();
    let of = |job: JobId| spans.values().find(|fields| fields.get("job.id") == Some(&job.to_string())).unwrap();
    let field = |job: JobId, name: &str| of(job).get(name).cloned().unwrap_or_default();
    let expected =
        [(failing, "fails", "retried"), (ending, "fails", "discarded"), (succeeding, "succeeds", "completed")];
    for (job, executor, outcome) in expected {
        assert_eq!(field(job, "job.executor"), executor);
        assert_eq!(field(job, "job.attempt"), "1");
        assert_eq!(field(job, "job.outcome"), outcome);
    }
}

/// The messages of all events.
#[derive(Clone, Default)]
struct Messages(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Messages {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        self.0.lock().unwrap().extend(fields.remove("message"));
    }
}

#[rexecutor_testing::test(jobs = [Succeeds])]
async fn a_node_on_another_backend_than_the_global_one_says_so(test: rexecutor_testing::Test) {
    let messages = Messages::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(messages.clone()));
    let node = test.node().start().await.unwrap();
    assert!(node.is_global_backend());
    assert!(!messages.0.lock().unwrap().iter().any(|message| message.contains("global backend")));
    node.graceful_shutdown().await;

    let other = rexecutor::backend::memory::InMemoryBackend::new();
    let node = Rexecutor::builder().with_backend(other).with_executor::<Succeeds>().start().await.unwrap();
    assert!(!node.is_global_backend());
    let said = messages.0.lock().unwrap().join("\n");
    assert!(said.contains("another global backend is set already"), "{said}");
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn case_09_a_schedule_whose_dates_are_past_is_told_when_a_node_starts() {
    let messages = Messages::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(messages.clone()));
    let over = "a schedule has no tick any more: all of its dates are past";
    let said = || std::mem::take(&mut *messages.0.lock().unwrap()).iter().filter(|message| *message == over).count();
    // The test's clock stands in a year of its own.
    let year = chrono::Datelike::year(&rexecutor_testing::TestClock::START);
    for (years, expected) in [(year - 1, 1), (year + 1, 0)] {
        let world = World::new();
        let schedule = || format!("0 0 0 1 1 * {years}").parse::<cron::Schedule>().unwrap();
        let node =
            world.node().with_cron_executor::<Succeeds>(schedule(), (), rexecutor::Tz::UTC).start().await.unwrap();
        assert_eq!(said(), expected, "{years}");
        node.graceful_shutdown().await;
    }
}
