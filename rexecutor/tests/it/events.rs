//! The stream of what happens to jobs.

use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use rexecutor::{
    backend::{NewJob, memory::InMemoryBackend},
    cluster,
    events::{Change, Event, EventKind, EventStream, events_on_backend},
    prelude::*,
};
use rexecutor_testing::{Fault, Operation};

use crate::{capabilities::Foreign, support::World};

#[job(name = "event-mail", max_attempts = 2, backoff = constant("1m"), tags = ["eu"])]
async fn mail(fails: bool, context: JobContext) -> Result<(), String> {
    context.progress(1, 2, "half");
    if fails { Err("no such address".to_owned()) } else { Ok(()) }
}

#[job(name = "event-print")]
async fn print(_page: u32) {}

/// What happens next to jobs, until this kind of event has come; without what they say of their progress.
async fn until(stream: &mut EventStream, last: EventKind) -> Vec<(i64, EventKind)> {
    let mut seen = Vec::new();
    loop {
        let event = stream.next().await.unwrap().unwrap();
        let kind = event.kind().unwrap();
        if let Event::Job(changed) = event
            && kind != EventKind::Progress
        {
            seen.push((changed.job.as_i64(), kind));
        }
        if kind == last {
            return seen;
        }
    }
}

/// What is there already.
fn at_once(stream: &mut EventStream) -> Vec<Event> {
    std::iter::from_fn(|| stream.next().now_or_never()).map(|event| event.unwrap().unwrap()).collect()
}

#[tokio::test]
async fn a_stream_gives_what_happens_with_what_there_is_to_know_of_it() {
    let world = World::new();
    let node = world.node().with_executor::<Mail>().with_executor::<Print>().start().await.unwrap();
    let mut stream = events_on_backend(&world.backend).executor::<Mail>().listen().await.unwrap();
    let mut kinds = events_on_backend(&world.backend).kinds([EventKind::Discarded]).listen().await.unwrap();
    let mut tags = events_on_backend(&world.backend).tags(["us"]).listen().await.unwrap();
    let other = Print::builder().with_data(1).add_tag("us").enqueue_to_backend(&world.backend).await.unwrap();
    let id = Mail::builder().with_data(true).enqueue_to_backend(&world.backend).await.unwrap().id();
    let mut jobs = events_on_backend(&world.backend).jobs([id]).buffer(usize::MAX).listen().await.unwrap();
    world.seconds(0).await;
    let (first, enqueued, started, retried) =
        (id.as_i64(), EventKind::Enqueued, EventKind::Started, EventKind::Retried);
    assert_eq!(until(&mut stream, retried).await, [(first, enqueued), (first, started), (first, retried)]);
    world.seconds(60).await;
    assert_eq!(until(&mut stream, EventKind::Discarded).await, [(first, started), (first, EventKind::Discarded)]);
    let Event::Job(discarded) = kinds.next().await.unwrap().unwrap() else { panic!("of a job") };
    let Change::Discarded { error, .. } = &discarded.change else { panic!("{discarded:?}") };
    assert_eq!((error.attempt, &*error.details, discarded.attempt), (2, "no such address", 2));
    assert_eq!((discarded.executor.as_str(), &*discarded.tags), ("event-mail", &["eu".to_owned()][..]));
    let json = serde_json::to_value(Event::Job(discarded)).unwrap();
    let expected = serde_json::json!(["discarded", first, "no such address", "event-mail", 2, ["eu"]]);
    let shown =
        [&json["event"], &json["job"], &json["error"]["details"], &json["executor"], &json["attempt"], &json["tags"]];
    assert_eq!(serde_json::json!(shown), expected);
    let of_other = until(&mut tags, EventKind::Completed).await;
    assert_eq!(of_other[0], (other.id().as_i64(), enqueued));
    assert!(of_other.iter().all(|(job, _)| *job == other.id().as_i64()));
    assert!(until(&mut jobs, EventKind::Discarded).await.iter().all(|(job, _)| *job == first));
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn pauses_concern_those_who_listen_for_their_executors() {
    let world = World::new();
    let listen = || events_on_backend(&world.backend);
    let mut all = listen().listen().await.unwrap();
    let mut mail = listen().executor::<Mail>().listen().await.unwrap();
    let mut job = listen().jobs([1]).listen().await.unwrap();
    Print::pause_on_backend("no paper", &world.backend).await.unwrap();
    cluster::pause_on_backend(Pause::new("maintenance").by("ann"), &world.backend).await.unwrap();
    assert!(cluster::resume_on_backend(&world.backend).await.unwrap());
    let kinds = async |stream: &mut EventStream| {
        let mut shown = Vec::new();
        while shown.last() != Some(&"resumed the whole cluster".to_owned()) {
            shown.push(match stream.next().await.unwrap().unwrap() {
                Event::Paused { scope, pause, .. } => format!("paused {scope}: {}", pause.reason),
                Event::Resumed { scope, .. } => format!("resumed {scope}"),
                other => panic!("{other:?}"),
            });
        }
        shown
    };
    let cluster = ["paused the whole cluster: maintenance", "resumed the whole cluster"];
    assert_eq!(kinds(&mut mail).await, cluster);
    assert_eq!(kinds(&mut all).await, ["paused `event-print`: no paper", cluster[0], cluster[1]]);
    assert_eq!(at_once(&mut job), [], "they are about no job");
}

/// It holds what fits, loses the oldest, and says how many of those that it was to give.
#[tokio::test]
async fn a_stream_that_is_polled_too_seldom_says_how_many_it_has_lost() {
    let world = World::new();
    let small = events_on_backend(&world.backend).executor::<Mail>().buffer(3);
    let (mut small, mut all) =
        (small.listen().await.unwrap(), events_on_backend(&world.backend).listen().await.unwrap());
    let jobs = ["event-mail", "event-print"].repeat(5).into_iter().map(|name| NewJob::new(name, "1"));
    rexecutor::enqueue_all_to_backend(jobs, &world.backend).await.unwrap();
    let ids = async |stream: &mut EventStream, count| {
        let events: Vec<_> = stream.by_ref().take(count).map(Result::unwrap).collect().await;
        let id = |event: &Event| match event {
            Event::Job(changed) => changed.job.as_i64(),
            Event::Lagged { missed, .. } => -i64::try_from(missed.unwrap()).unwrap(),
            other => panic!("{other:?}"),
        };
        events.iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&mut all, 10).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(ids(&mut small, 4).await, [-2, 5, 7, 9]);
    rexecutor::enqueue_all_to_backend([NewJob::new("event-mail", "1")], &world.backend).await.unwrap();
    assert_eq!(ids(&mut small, 1).await, [11], "once");
}

/// The backend is away for a while: those who listen wait, and lose nothing that it has kept for them.
#[tokio::test]
async fn an_outage_of_the_backend_ends_no_stream() {
    let world = World::new();
    world.backend.inject(Fault::error().on([Operation::Query]).times(1));
    let refused = events_on_backend(&world.backend).listen().await;
    assert!(refused.is_err_and(|error| error.is_transient()), "it may be tried again");
    let mut stream = events_on_backend(&world.backend).listen().await.unwrap();
    world.backend.inject(Fault::error().on([Operation::Query]).times(3));
    let id = Print::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap().id();
    assert_eq!(until(&mut stream, EventKind::Enqueued).await, [(id.as_i64(), EventKind::Enqueued)]);
    assert!(world.backend.calls(Operation::Query) >= 5);
}

#[test]
fn a_stream_ends_with_the_runtime_on_which_it_was_made() {
    let backend = Arc::new(InMemoryBackend::new());
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let mut stream = first.block_on(events_on_backend(&backend).listen()).unwrap();
    drop(first);
    runtime().block_on(async {
        let error = stream.next().await.unwrap().unwrap_err();
        assert!(!error.is_transient());
        assert!(stream.next().await.is_none());
        // Another one has another listener.
        let mut stream = events_on_backend(&backend).listen().await.unwrap();
        Print::builder().with_data(1).enqueue_to_backend(&backend).await.unwrap();
        assert_eq!(until(&mut stream, EventKind::Enqueued).await, [(1, EventKind::Enqueued)]);
    });
    let outside = events_on_backend(&backend).listen().now_or_never().unwrap();
    assert!(outside.is_err_and(|error| !error.is_transient()));
}

/// Nobody listens to a backend that cannot tell, which says so.
#[tokio::test]
async fn a_backend_that_tells_of_nothing_is_named() {
    let foreign = Arc::new(Foreign::new());
    let error = events_on_backend(&foreign).listen().await.unwrap_err();
    assert!(error.to_string().ends_with("it has no events of jobs (`Backend::events`)"), "{error}");
    assert!(!error.is_transient());
}
