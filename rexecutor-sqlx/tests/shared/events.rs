//! Events between processes: one that listens, and one that works.

use futures::StreamExt;
use rexecutor::{
    backend::{Backend, Enqueue, NewJob},
    events::{Change, Event, EventKind, EventStream, JobChanged, events_on_backend},
    executor::IntoExecutionResult,
    prelude::*,
};

/// A job that says how far it has got, fails once, and is done then.
pub(crate) struct Work;

#[rexecutor::__private::async_trait]
impl Executor for Work {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = "work";

    fn backoff(_: &Job<u32, ()>) -> TimeDelta {
        TimeDelta::zero()
    }

    async fn execute(job: Job<u32, ()>) -> ExecutionResult {
        match job.attempt {
            1 => Err::<(), _>("not yet").into_execution_result(),
            _ => ExecutionResult::Done,
        }
    }
}

/// Runs jobs for as long as the process lives.
pub(crate) async fn work(backend: impl Backend) {
    let node = Rexecutor::builder().with_backend(backend).with_executor::<Work>().start().await.unwrap();
    crate::process::say("works");
    std::future::pending::<()>().await;
    drop(node);
}

pub(crate) async fn listen<B: Backend + Clone>(backend: &B) -> EventStream {
    events_on_backend(backend).executors(["work"]).listen().await.unwrap()
}

/// What happens next to a job.
pub(crate) async fn next(stream: &mut EventStream) -> JobChanged {
    match stream.next().await.unwrap().unwrap() {
        Event::Job(changed) => changed,
        other => panic!("{other:?}"),
    }
}

/// Enqueues a job, which another process runs, and follows it to its end.
pub(crate) async fn follow(backend: &impl Enqueue, stream: &mut EventStream) {
    let job = NewJob::new("work", "1").with_max_attempts(2).with_tags(vec!["eu".to_owned()]);
    let id = backend.enqueue(vec![job]).await.unwrap()[0].id();
    let mut kinds = Vec::new();
    while kinds.last() != Some(&EventKind::Completed) {
        let changed = next(stream).await;
        assert_eq!((changed.job, &*changed.tags), (id, &["eu".to_owned()][..]));
        if let Change::Retried { error, .. } = &changed.change {
            assert_eq!((error.attempt, &*error.details), (1, "not yet"));
        }
        kinds.push(changed.change.kind());
    }
    let started = EventKind::Started;
    assert_eq!(kinds, [EventKind::Enqueued, started, EventKind::Retried, started, EventKind::Completed]);
}

/// The streams that two programs have are told the same.
pub(crate) async fn ids(stream: EventStream, count: usize) -> Vec<i64> {
    let enqueued = stream.filter_map(async |event| match event.unwrap() {
        Event::Job(changed) if changed.change.kind() == EventKind::Enqueued => Some(changed.job.as_i64()),
        _ => None,
    });
    let mut ids: Vec<i64> = enqueued.take(count).collect().await;
    ids.sort_unstable();
    ids
}
