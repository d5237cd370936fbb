//! A node that lives is heard, whatever its jobs do, and nobody takes it for dead.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use rexecutor::{
    backend::{Filter, Inspect, JobRow, Maintain, Member, Node, memory::InMemoryBackend},
    clock::{Clock, SystemClock},
    prelude::*,
};
use rexecutor_testing::{Fault, TestClock};
use tokio::{runtime::Builder, sync::mpsc::UnboundedSender};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::{Tell, World, tell};

/// What jobs that block wait for.
type Leave = Arc<Mutex<mpsc::Receiver<()>>>;

/// Blocks its thread: the first by waiting, as for the end of a long computation, the others by a lock that it holds.
#[job]
async fn computes(State(begun): State<UnboundedSender<()>>, State(leave): State<Leave>) {
    begun.send(()).unwrap();
    let _ = leave.lock().unwrap().recv();
}

/// Longer than any of this takes, so that a test that waits for nothing ends.
const LIMIT: Duration = Duration::from_secs(60);

async fn limited<T>(work: impl Future<Output = T>) -> T {
    tokio::select! {
        value = work => value,
        () = SystemClock.sleep(LIMIT) => panic!("it has not ended after {LIMIT:?}"),
    }
}

async fn rows(backend: &InMemoryBackend) -> Vec<JobRow> {
    backend.query(&Filter::All(Vec::new()), usize::MAX).await.unwrap()
}

fn all_ran_once(rows: &[JobRow]) -> bool {
    rows.iter().all(|row| row.status == JobStatus::Complete && row.lease.0 == 1)
}

#[tokio::test]
async fn case_11_a_node_is_heard_while_jobs_block_every_thread_of_its_runtime() {
    let mut many = Builder::new_multi_thread();
    many.worker_threads(2);
    for (mut runtime, threads) in [(Builder::new_current_thread(), 1), (many, 2)] {
        let backend = Arc::new(InMemoryBackend::new());
        let ((leave, waiting), (begun, mut begins)) = (mpsc::channel(), tokio::sync::mpsc::unbounded_channel::<()>());
        let there = backend.clone();
        let node = thread::spawn(move || {
            runtime.enable_all().build().unwrap().block_on(async {
                for _ in 0..threads {
                    let _ = Computes::builder().enqueue_to_backend(&there).await.unwrap();
                }
                let node = Rexecutor::builder().with_backend(there).with_node_timeout(Duration::from_millis(100));
                let node = node.with_state(begun).with_state::<Leave>(Arc::new(Mutex::new(waiting)));
                node.with_executor::<Computes>().start().await.unwrap().run_until_idle().await;
            });
        });
        for _ in 0..threads {
            begins.recv().await.unwrap();
        }
        let me = backend.join(&Node::new("an observer", Duration::MAX)).await.unwrap();
        let heard = async || -> Vec<Member> { backend.heartbeat(me).await.unwrap().others };
        let is_heard = async {
            let before = heard().await[0].beats;
            while heard().await[0].beats < before + 5 {
                tokio::task::yield_now().await;
            }
        };
        limited(is_heard).await;
        drop(leave);
        node.join().unwrap();
        assert!(all_ran_once(&rows(&backend).await));
        assert_eq!(heard().await, [], "it has left");
    }
}

/// Hands on what is logged of jobs that block.
struct Warnings(Mutex<mpsc::Sender<String>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}: {value:?}; ").unwrap();
    }
}

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        if *event.metadata().level() == tracing::Level::WARN && text.0.contains("blocks a thread") {
            let _ = self.0.lock().unwrap().send(text.0);
        }
    }
}

type Log = Arc<Mutex<mpsc::Receiver<String>>>;

/// Blocks until somebody complains.
#[job]
async fn blocks_until_it_is_named(State(log): State<Log>, State(tell): State<Tell>) {
    tell.say(log.lock().unwrap().recv_timeout(LIMIT).unwrap());
}

#[tokio::test]
async fn case_11_a_job_that_blocks_its_thread_is_named_while_it_does() {
    let (warn, log) = mpsc::channel();
    let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(Warnings(Mutex::new(warn))));
    let (tell, mut told) = tell();
    let backend = Arc::new(InMemoryBackend::new());
    let id = BlocksUntilItIsNamed::builder().enqueue_to_backend(&backend).await.unwrap().id();
    let node = Rexecutor::builder().with_backend(backend.clone()).with_state::<Log>(Arc::new(Mutex::new(log)));
    let node = node.with_state(tell).with_executor::<BlocksUntilItIsNamed>().start().await.unwrap();
    node.run_until_idle().await;
    let said = told.next().await;
    for part in [&format!("job.id: {id};"), "job.executor: \"blocks_until_it_is_named\"", "`#[job(blocking)]`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(all_ran_once(&rows(&backend).await));
}

#[job(blocking)]
async fn holds_a_thread(State(begun): State<UnboundedSender<()>>, State(leave): State<Leave>) {
    begun.send(()).unwrap();
    let _ = leave.lock().unwrap().recv();
}

#[test]
fn case_12_blocking_jobs_leave_the_threads_of_the_runtime_alone() {
    const JOBS: usize = 3;
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let backend = Arc::new(InMemoryBackend::new());
        let ((leave, waiting), (begun, mut begins)) = (mpsc::channel(), tokio::sync::mpsc::unbounded_channel::<()>());
        for _ in 0..JOBS {
            let _ = HoldsAThread::builder().enqueue_to_backend(&backend).await.unwrap();
        }
        let node = Rexecutor::builder().with_backend(backend.clone()).with_max_running(JOBS).with_state(begun);
        let node = node.with_state::<Leave>(Arc::new(Mutex::new(waiting)));
        let node = node.with_executor::<HoldsAThread>().start().await.unwrap();
        for _ in 0..JOBS {
            limited(begins.recv()).await.unwrap();
        }
        // As a look-up of a host's name does.
        limited(tokio::task::spawn_blocking(|| ())).await.unwrap();
        drop(leave);
        node.run_until_idle().await;
        assert!(all_ran_once(&rows(&backend).await));
    });
}

/// Takes its time, by the clock of its node.
#[job]
async fn long(context: JobContext, State(tell): State<Tell>) {
    tell.say("began");
    context.clock().sleep(Duration::from_secs(65)).await;
}

/// Three nodes with jobs of 65 s, the server is away for 45 s, and a fourth node starts as it comes back.
#[tokio::test]
async fn case_42_a_node_that_starts_after_an_outage_takes_nobody_for_dead() {
    let world = World::new();
    let (tell, mut told) = tell();
    for _ in 0..30 {
        let _ = Long::builder().enqueue_to_backend(&world.backend).await.unwrap();
    }
    let start = async || {
        let node = world.node().with_max_running(10).with_state(tell.clone());
        node.with_executor::<Long>().start().await.unwrap()
    };
    let mut nodes = vec![start().await, start().await, start().await];
    world.seconds(5).await;
    assert_eq!(told.all().len(), 30);
    world.backend.inject(Fault::error());
    world.seconds(45).await;
    world.backend.heal();
    nodes.push(start().await);
    world.seconds(120).await;
    assert_eq!(told.all(), [""; 0], "none began again");
    assert!(all_ran_once(&world.rows().await));
    for node in nodes {
        node.graceful_shutdown().await;
    }
}

/// The database's clock is put forward, and everybody was heard hours ago.
#[tokio::test]
async fn case_42_and_44_a_step_of_the_databases_clock_makes_nobody_dead() {
    let (server, clock) = (TestClock::new(), TestClock::new());
    let backend = Arc::new(InMemoryBackend::new().with_clock(server.clone()));
    let (tell, mut told) = tell();
    for _ in 0..6 {
        let _ = Long::builder().enqueue_to_backend(&backend).await.unwrap();
    }
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let node = Rexecutor::builder().with_backend(backend.clone()).with_clock(clock.clone()).with_max_running(2);
        nodes.push(node.with_state(tell.clone()).with_executor::<Long>().start().await.unwrap());
    }
    clock.advance(TimeDelta::seconds(5)).await;
    assert_eq!(told.all().len(), 6);
    server.advance(TimeDelta::hours(2)).await;
    clock.advance(TimeDelta::seconds(120)).await;
    assert!(all_ran_once(&rows(&backend).await));
    for node in nodes {
        node.graceful_shutdown().await;
    }
}

/// Of a node that was frozen, or cut off, the jobs are taken; of one that comes back in time they are not.
#[tokio::test]
async fn a_node_that_is_silent_for_its_timeout_is_dead_and_not_before() {
    for (seconds, expected) in [(10, 0), (20, 1)] {
        let world = World::new();
        let silent = world.backend.join(&Node::new("silent", Duration::from_secs(15))).await.unwrap();
        let (tell, _told) = tell();
        let node = world.node().with_state(tell).with_executor::<Long>().start().await.unwrap();
        world.seconds(1).await;
        world.seconds(seconds).await;
        assert_eq!(i32::from(!world.backend.heartbeat(silent).await.unwrap().member), expected, "{seconds}");
        node.graceful_shutdown().await;
    }
}
