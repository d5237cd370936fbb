//! The registry, starting a node from it, building jobs, and asserting that they were enqueued.

use rexecutor::{
    assert_enqueued,
    backend::{Enqueue, memory::InMemoryBackend},
    node::StartError,
    prelude::*,
};

use crate::{
    executor,
    support::{World, tell},
};

mod other {
    #[rexecutor::job]
    pub(super) async fn twice() {}
}

#[job(executor = TwiceAgain, name = "twice")]
async fn twice() {}

#[job(max_attempts = 3)]
async fn needs_state(State(_): State<std::collections::BTreeMap<u8, u8>>) {}

#[job(timeout = "30s", backoff = linear("5s", max = "1m"), unique_within = "5m")]
async fn tells_all() {}

#[job]
async fn needs_nothing() {}

#[job(cron = "0 0 * * * *")]
async fn on_the_hour() {}

mod renamed {
    #[rexecutor::job(name = "send_invoice", executor = Bill)]
    pub(super) async fn bill() {}
}

/// Trap 51: the name of a job comes from the module path or the type's name; moving the function orphans its jobs.
#[test]
fn trap_51_a_jobs_name_is_its_functions_or_what_it_says_wherever_it_stands() {
    assert_eq!((other::Twice::NAME, TwiceAgain::NAME), ("twice", "twice"));
    assert_eq!(renamed::Bill::NAME, "send_invoice");
}

/// Trap 53: missing state is found when the job runs, in production.
#[tokio::test]
async fn trap_53_what_is_wrong_with_the_registry_is_told_at_start_with_file_and_line() {
    let world = World::new();
    let node = Rexecutor::from_registry().with_backend(world.backend.clone()).only_named(["twice", "needs_state"]);
    let StartError::Invalid(problems) = node.start().await.unwrap_err() else { panic!("it is invalid") };
    assert_eq!(problems.len(), 2, "{problems:#?}");
    let places = problems[0].matches("tests/it/macros.rs:").count();
    assert!(problems[0].contains("two jobs are named `twice`") && places == 2, "{}", problems[0]);
    assert!(
        problems[1].contains("the job `needs_state` at ")
            && problems[1].contains("State<")
            && problems[1].contains(".with_state(..)"),
        "{}",
        problems[1]
    );
}

#[tokio::test]
async fn the_jobs_of_a_node_are_selected_by_type_and_by_name() {
    let world = World::new();
    let node = || Rexecutor::from_registry().with_backend(world.backend.clone());
    node().only::<NeedsNothing>().start().await.unwrap().graceful_shutdown().await;
    let but = node().only::<NeedsNothing>().only::<NeedsState>().except::<NeedsState>();
    but.start().await.unwrap().graceful_shutdown().await;
    let error = node().only_named(["needs_nothin"]).start().await.unwrap_err();
    assert!(error.to_string().contains("no registered job is named `needs_nothin`"), "{error}");
    let registered = Rexecutor::registered();
    let found = registered.iter().find(|job| job.name() == "needs_state").unwrap();
    assert!(found.location().0.ends_with("tests/it/macros.rs"));
    assert_eq!((found.settings().max_attempts, found.settings().is_blocking), (3, false));
    assert_eq!((found.settings().timeout, found.settings().backoff, found.settings().uniqueness), (None, None, None));
    let told = registered.iter().find(|job| job.name() == "tells_all").unwrap().settings();
    assert_eq!(told.timeout, Some(std::time::Duration::from_secs(30)));
    assert_eq!(told.backoff, Some(r#"linear("5s", max = "1m")"#));
    assert_eq!(told.uniqueness, Some(r#"by = data, within = "5m""#));
    let hourly = registered.iter().find(|job| job.name() == "on_the_hour").unwrap().crons()[0];
    let start = rexecutor_testing::TestClock::START;
    assert_eq!(hourly.next_after(start).unwrap(), Some(start + TimeDelta::hours(1)));
}

executor!(
    Never,
    "never",
    {
        const MAX_CONCURRENCY: Option<usize> = Some(0);
    },
    |_job| ExecutionResult::Done
);
executor!(Nameless, "", {}, |_job| ExecutionResult::Done);
executor!(One, "same", {}, |_job| ExecutionResult::Done);
executor!(Another, "same", {}, |_job| ExecutionResult::Done);

/// Trap 49: a limit of 0 means "no limit".
#[tokio::test]
async fn trap_49_a_node_that_cannot_be_says_all_that_is_wrong() {
    let world = World::new();
    let pruner = PrunerConfig::new("0 0 * * * *".parse().unwrap())
        .with_pruner(Pruner::max_length(1, JobStatus::Executing))
        .with_pruner(Pruner::max_age(TimeDelta::seconds(-1), JobStatus::Complete));
    let node = world.node().with_executor::<Never>().with_executor::<Nameless>().with_executor::<One>();
    let node = node.with_executor::<Another>().with_executor::<One>().with_max_running(0).with_job_pruner(pruner);
    let message = node.start().await.unwrap_err().to_string();
    for part in [
        "`never`: max_concurrency is 0",
        "the name of an executor must not be empty",
        "One` and `it::macros::Another` are both named `same`",
        "only finished jobs can be pruned, and executing ones are not",
        "is negative",
        "max_running is zero",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(message.matches("\n  - ").count(), 6, "{message}");
}

/// In a process of its own under nextest; with `cargo test` other tests may have set the global backend before, and
/// then the node starts on it.
#[tokio::test]
async fn a_node_without_a_backend_says_what_to_write() {
    let started = Rexecutor::builder().start().await;
    match (rexecutor::global::backend(), started) {
        (Err(_), Err(error)) => assert!(error.to_string().contains(".with_backend(backend)"), "{error}"),
        (Ok(_), Ok(node)) => node.graceful_shutdown().await,
        (Ok(_), Err(error)) => panic!("{error}"),
        // Another test has set it in between.
        (Err(_), Ok(node)) => node.graceful_shutdown().await,
    }
}

#[job]
async fn mail(_to: String) {}

#[tokio::test]
async fn bad_fields_are_refused_by_name_with_their_limit_and_nothing_is_stored() {
    let world = World::new();
    let build = || Mail::builder().with_data("bob".to_owned());
    let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let cases = [
        (build().with_max_attempts(0).encode(), "max_attempts: 0 attempts; the least is 1"),
        (build().schedule_in(TimeDelta::seconds(-1)).encode(), "schedule_in: the delay is negative"),
        (
            build().schedule_in(TimeDelta::MAX).encode(),
            "schedule_in: a delay of 106751991167 days; the limit is 365000",
        ),
        (build().schedule_at(chrono::DateTime::<chrono::Utc>::MAX_UTC).encode(), "the limits are the years 1 and 9999"),
        (build().add_tag("x".repeat(256)).encode(), "tags: a tag of 256 bytes; the limit is 255"),
        (build().with_data("a\0b".to_owned()).encode(), "data: a string contains U+0000"),
        (build().with_data("x".repeat(1_048_576)).encode(), "data: 1048578 bytes as JSON; the limit is 1048576"),
        (build().unique(UniquenessCriteria::by_data().and_within(TimeDelta::zero())).encode(), "unique: the time"),
        (build().debounce(TimeDelta::zero(), TimeDelta::zero()).encode(), "debounce: a job that waits for no time"),
        (build().debounce(TimeDelta::hours(2), TimeDelta::hours(1)).encode(), "debounce: the longest wait is shorter"),
        (build().debounce(TimeDelta::hours(-1), TimeDelta::hours(1)).encode(), "debounce: the delay is negative"),
        (
            build().debounce(TimeDelta::hours(1), TimeDelta::hours(1)).schedule_in(TimeDelta::hours(1)).encode(),
            "debounce: when a debounced job is due follows from its calls",
        ),
        (build().debounce(TimeDelta::hours(1), TimeDelta::hours(1)).blocked().encode(), "debounce: a blocked job"),
        (
            build().debounce(TimeDelta::hours(1), TimeDelta::hours(2)).deadline_in(TimeDelta::hours(2)).encode(),
            "debounce: the deadline, which counts from the first call",
        ),
        (
            build().debounce(TimeDelta::hours(1), TimeDelta::hours(2)).deadline_at(at("2100-01-01T00:00:00Z")).encode(),
            "debounce: the deadline of the first call would hold",
        ),
        (build().throttle(TimeDelta::zero()).encode(), "unique: the time within which"),
        (Nameless::builder().with_data(1).encode(), "name: the name of an executor must not be empty"),
        (Deep::builder().with_data(Nested::new(127)).encode(), "data: 128 levels of JSON; the limit is 127"),
    ];
    for (result, message) in cases {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(message), "{message}: {error}");
    }
    let keyed = std::collections::HashMap::from([((1, 2), 3)]);
    let error =
        build().unique(UniquenessCriteria::by_key(&keyed)).enqueue_to_backend(&world.backend).await.unwrap_err();
    assert_eq!(error.to_string(), "unique: the key does not encode as JSON; NaN and infinities do not either");
    let error =
        Keyed::builder().with_data(vec![((1, 2), 3)].into_iter().collect()).enqueue_to_backend(&world.backend).await;
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "could not encode the data of a `keyed` job as JSON");
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(world.rows().await.len(), 0);
    let deepest = Deep::builder().with_data(Nested::new(126)).encode().unwrap();
    serde_json::from_str::<Nested>(&deepest.data).unwrap();
    assert!(build().schedule_at(at("0001-01-01T00:00:00Z")).encode().is_ok(), "an instant in the past is due at once");
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Nested(Option<Box<[Nested; 1]>>);

impl Nested {
    fn new(depth: usize) -> Self {
        (0..=depth).fold(Self(None), |inner, _| Self(Some(Box::new([inner]))))
    }
}

#[job]
async fn deep(_data: Nested) {}

#[job]
async fn keyed(_data: std::collections::HashMap<(u8, u8), u8>) {}

/// Trap 50: the attribute eats the function, so nobody can call it in a test.
#[tokio::test]
async fn trap_50_the_function_can_be_called() {
    mail("bob".to_owned()).await;
    let State(map) = State(std::collections::BTreeMap::<u8, u8>::new());
    needs_state(State(map)).await;
}

/// Trap 52: assertions that say `1 job` and accept three.
#[tokio::test]
async fn trap_52_assertions_count_exactly() {
    let backend = InMemoryBackend::new().paused();
    for _ in 0..3 {
        let _ = Mail::builder().with_data("bob".to_owned()).add_tag("a").enqueue_to_backend(&backend).await.unwrap();
    }
    assert_enqueued!(3 jobs, to: backend, with_data: "bob", tagged_with: ["a"], for_executor: Mail);
    assert_enqueued!(to: backend, for_executor: Mail, with_status: JobStatus::Scheduled, with_priority: 0);
    assert_enqueued!(0 jobs, for_executor: NeedsNothing, to: backend,);
    let failure = tokio::spawn(async move {
        assert_enqueued!(1 job, to: backend, with_data: "bob");
    });
    let panic = failure.await.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("expected exactly 1 enqueued job, found 3") && message.contains("\"bob\""), "{message}");
}

#[tokio::test]
async fn a_paused_backend_gives_no_jobs_to_nodes() {
    let clock = rexecutor_testing::TestClock::new();
    let backend = std::sync::Arc::new(InMemoryBackend::new().paused().with_clock(clock.clone()));
    let node = Rexecutor::builder().with_backend(backend.clone()).with_clock(clock.clone()).with_executor::<Mail>();
    let node = node.start().await.unwrap();
    let _ = Mail::builder().with_data("bob".to_owned()).enqueue_to_backend(&backend).await.unwrap();
    clock.advance(TimeDelta::hours(1)).await;
    assert_enqueued!(1 job, to: backend, with_status: JobStatus::Scheduled);
    node.graceful_shutdown().await;
}

#[job]
async fn with_metadata(job: Job<u8, String>, context: JobContext, tenant: Tenant) {
    assert_eq!((job.metadata.as_deref(), job.id), (Some("acme"), context.job_id()));
    assert_eq!(tenant.0, "acme");
}

struct Tenant(String);

impl Extract for Tenant {
    async fn extract(context: &JobContext) -> Result<Self, ExtractError> {
        let tenant = context.metadata().map_err(ExtractError::new)?;
        tenant.map(Self).ok_or_else(|| ExtractError::cancel("the job names no tenant"))
    }
}

#[tokio::test]
async fn parameters_are_extracted_and_an_extractor_may_cancel() {
    let world = World::new();
    let (tell, _) = tell();
    let node = world.node().with_state(tell).with_executor::<WithMetadata>().start().await.unwrap();
    let good = WithMetadata::builder().with_data(1).with_metadata("acme".to_owned()).encode().unwrap();
    let bad = good.clone().with_metadata(None);
    let ids = world.backend.enqueue(vec![good, bad]).await.unwrap();
    world.clock.settle().await;
    let [good, bad] = [world.row(ids[0]).await, world.row(ids[1]).await];
    assert_eq!((good.status, bad.status), (JobStatus::Complete, JobStatus::Cancelled));
    assert_eq!(bad.extras.cancel_reason.as_deref(), Some("the job names no tenant"));
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn jobs_of_several_executors_are_enqueued_in_one_call() {
    let world = World::new();
    let unique =
        |to: &str| Mail::builder().with_data(to.to_owned()).unique(UniquenessCriteria::by_data()).encode().unwrap();
    let jobs = vec![unique("ada"), One::builder().with_data(1).encode().unwrap(), unique("ada"), unique("bob")];
    let answers = rexecutor::enqueue_all_to_backend(jobs, &world.backend).await.unwrap();
    assert_eq!(answers.iter().map(|answer| answer.is_duplicate()).collect::<Vec<_>>(), [false, false, true, false]);
    assert_eq!(answers[2].id(), answers[0].id());
    let executors: Vec<_> = world.rows().await.iter().map(|row| row.executor.to_string()).collect();
    assert_eq!(executors, ["mail", "same", "mail"]);
}

#[job(unique(by = executor, statuses = [blocked, scheduled, executing, retryable, complete, cancelled, discarded]))]
async fn only_one_ever() {}

#[tokio::test]
async fn every_status_can_be_named_in_the_attribute() {
    let backend = InMemoryBackend::new();
    let first = OnlyOneEver::builder().with_data(()).blocked().enqueue_to_backend(&backend).await.unwrap();
    let second = OnlyOneEver::builder().with_data(()).enqueue_to_backend(&backend).await.unwrap();
    assert!(second.is_duplicate() && second.id() == first.id(), "{second:?}");
}

#[test]
fn a_blocked_job_keeps_its_due_time_in_whichever_order_they_are_given() {
    let hour = TimeDelta::hours(1);
    for builder in [
        OnlyOneEver::builder().with_data(()).blocked().schedule_in(hour),
        OnlyOneEver::builder().with_data(()).schedule_in(hour).blocked(),
    ] {
        let job = builder.encode().unwrap();
        assert_eq!((job.blocked, job.due), (true, rexecutor::backend::Due::In(hour)));
    }
}
