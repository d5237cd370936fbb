//! What the log is told of a run.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use rexecutor::prelude::*;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};

use crate::support::Bench;

#[job(max_attempts = 1)]
async fn fails(why: String) -> Result<(), String> {
    Err(why)
}

#[job]
async fn succeeds() {}

/// The fields of each span by its number, as they are at last.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<BTreeMap<u64, BTreeMap<String, String>>>>);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

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
async fn trap_48_a_runs_span_says_which_job_it_is_and_how_it_ended() {
    let spans = Spans::default();
    let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));
    let bench = Bench::new();
    let node = bench.node().with_executor::<Fails>().with_executor::<Succeeds>().start().await.unwrap();
    let failing = Fails::builder().with_data("no".to_owned()).enqueue_to_backend(&bench.backend).await.unwrap().id();
    bench.seconds(1).await;
    let succeeding = Succeeds::builder().enqueue_to_backend(&bench.backend).await.unwrap().id();
    bench.seconds(1).await;
    node.graceful_shutdown().await;
    let spans = spans.0.lock().unwrap();
    let of = |job: JobId| spans.values().find(|fields| fields.get("job.id") == Some(&job.to_string())).unwrap();
    let field = |job: JobId, name: &str| of(job).get(name).cloned().unwrap_or_default();
    for (job, executor, outcome) in [(failing, "fails", "retried"), (succeeding, "succeeds", "completed")] {
        assert_eq!(field(job, "job.executor"), executor);
        assert_eq!(field(job, "job.attempt"), "1");
        assert_eq!(field(job, "job.outcome"), outcome);
    }
}
