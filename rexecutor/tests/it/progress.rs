//! How far jobs have got.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AmendError, Backend, Claim, Claimed, Demand, Ends, Enqueue, Enqueued, Filter, Heartbeat, Inspect, JobChange,
        JobRow, Maintain, Member, NewJob, Node, Report, Reports, Result, ScheduleKey, Settle, Settlement, Tick, Ticks,
        Wakeup, memory::InMemoryBackend, reports,
    },
    each_role,
    job::{ExecutorName, JobId, Lease, NodeId},
    jobs_on_backend,
    prelude::*,
    pruner::PruneSpec,
};
use rexecutor_testing::{TestClock, perform};
use tokio::sync::Semaphore;

/// Counts the statements that store what jobs say.
#[derive(Debug)]
struct Counts(InMemoryBackend, AtomicUsize);

macro_rules! handed_on {
    ($(trait $role:ident {
        $($operation:ident => fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        $(impl $role for Counts {
            $(fn $method<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, $answer> {
                self.0.$method($($argument),*)
            })*
        })*
    };
}

each_role!(handed_on);

impl Backend for Counts {
    fn ends(&self) -> Option<&dyn Ends> {
        self.0.ends()
    }

    fn reports(&self) -> Option<&dyn Reports> {
        Some(self)
    }
}

impl Reports for Counts {
    fn report(&self, reports: Vec<Report>) -> BoxFuture<'_, Result<()>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.report(reports)
    }

    fn reported(&self, job: JobId) -> BoxFuture<'_, Result<Option<String>>> {
        self.0.reported(job)
    }

    fn sweep(&self) -> BoxFuture<'_, Result<()>> {
        self.0.sweep()
    }
}

#[job]
async fn imports(pages: u64, context: JobContext, State(go): State<Arc<Semaphore>>) -> std::result::Result<(), String> {
    for page in 0..pages {
        context.progress(page, pages, "importing");
        context.log(format!("page {page}"));
    }
    go.acquire().await.map_err(|error| error.to_string())?.forget();
    context.progress(pages, pages, "");
    Ok(())
}

#[tokio::test]
async fn case_15_2_what_jobs_say_is_stored_four_times_a_second_whatever_they_do() {
    let (clock, go) = (TestClock::new(), Arc::new(Semaphore::new(0)));
    let backend = Arc::new(Counts(InMemoryBackend::new().with_clock(clock.clone()), AtomicUsize::new(0)));
    let node = Rexecutor::builder().with_backend(backend.clone()).with_clock(clock.clone()).with_state(go.clone());
    let node = node.with_executor::<Imports>().start().await.unwrap();
    let job = async || Imports::builder().with_data(500).enqueue_to_backend(&backend).await.unwrap();
    let mut jobs = Vec::new();
    for _ in 0..20 {
        jobs.push(job().await);
        clock.advance(TimeDelta::milliseconds(50)).await;
    }
    clock.settle().await;
    // Ten thousand words in a second.
    let count = backend.1.load(Ordering::Relaxed);
    assert!((1..=5).contains(&count), "{count} statements");
    clock.advance(TimeDelta::milliseconds(250)).await;
    for job in &jobs {
        let progress = Imports::progress_on_backend(*job, &backend).await.unwrap().expect("it has said something");
        assert_eq!((progress.done, progress.total, &*progress.text, progress.attempt), (499, 500, "importing", 1));
        assert_eq!((progress.log.len(), &*progress.log[0].text), (100, "page 400"));
    }
    // Silence costs nothing.
    let count = backend.1.load(Ordering::Relaxed);
    clock.advance(TimeDelta::seconds(60)).await;
    assert_eq!(backend.1.load(Ordering::Relaxed), count);

    // The last words are stored before the node has left.
    go.add_permits(20);
    node.graceful_shutdown().await;
    for job in jobs {
        let seen = jobs_on_backend(&backend).get(job).await.unwrap().unwrap();
        let progress = seen.progress.expect("it is kept with the job");
        assert_eq!((progress.fraction(), progress.log.len()), (Some(1.0), 100));
    }
}

#[tokio::test]
async fn case_15_2_a_job_is_followed_to_its_end() {
    let (backend, go) = (Arc::new(InMemoryBackend::new()), Arc::new(Semaphore::new(0)));
    let job = Imports::builder().with_data(3).enqueue_to_backend(&backend).await.unwrap();
    let mut follow = Imports::follow_on_backend(job, &backend);
    let node = Rexecutor::builder().with_backend(backend.clone()).with_state(go.clone());
    let node = node.with_executor::<Imports>().start().await.unwrap();
    let first = follow.next().await.expect("it runs").unwrap();
    assert_eq!((first.done, first.total), (2, 3));
    go.add_permits(1);
    let last = follow.next().await.expect("its last words").unwrap();
    assert_eq!((last.done, last.total), (3, 3));
    assert!(follow.next().await.is_none());
    // Of another executor's job, and of one that there is not, nothing is told.
    assert!(Other::progress_on_backend(job.id(), &backend).await.unwrap().is_none());
    assert!(Other::follow_on_backend(job.id(), &backend).next().await.is_none());
    assert!(reports(&backend).unwrap().reported(job.id()).await.unwrap().is_some());
    node.graceful_shutdown().await;
}

#[job]
async fn other() {}

#[rexecutor_testing::test]
async fn case_15_2_a_test_sees_what_one_run_says() {
    let go = Arc::new(Semaphore::new(1));
    let performed = perform::<Imports>(2).with_state(go).await;
    let progress = performed.progress().expect("it says something");
    assert_eq!((progress.done, progress.log.len()), (2, 2));
    assert_eq!(perform::<Other>(()).await.progress(), None);
}
