//! Blocking jobs: what cannot be dropped, and waits for threads.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use rexecutor::{backend::Maintain, prelude::*};

use crate::support::{Tell, Told, World, tell};

/// What blocks until the test says so.
#[derive(Clone)]
struct Gate(Arc<Mutex<mpsc::Receiver<()>>>);

impl Gate {
    fn new() -> (mpsc::Sender<()>, Self) {
        let (open, gate) = mpsc::channel();
        (open, Self(Arc::new(Mutex::new(gate))))
    }

    fn wait(&self) {
        let _ = self.0.lock().unwrap().recv();
    }
}

#[job(blocking, timeout = "2s", max_attempts = 2)]
async fn limited(number: u32, context: JobContext, State(tell): State<Tell>, State(gate): State<Gate>) {
    tell.say(number);
    gate.wait();
    tell.say(format!("{:?}", context.stop_reason()));
}

#[job(blocking)]
async fn unlimited(State(tell): State<Tell>, State(gate): State<Gate>) {
    tell.say("began");
    gate.wait();
    tell.say("ended");
}

/// Runs a test on a runtime with a single thread for blocking jobs.
fn with_one_thread(test: impl AsyncFnOnce(World, Tell, Told)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    let (tell, told) = tell();
    runtime.block_on(test(World::new(), tell, told));
}

/// Case 13: of 600 blocking jobs, those that waited for one of the 512 threads were timed out before they had begun.
#[test]
fn case_13_the_timeout_of_a_blocking_job_begins_when_a_thread_takes_it() {
    with_one_thread(async |world, tell, mut told| {
        let (open, gate) = Gate::new();
        let node =
            world.node().with_state(tell).with_state(gate).with_executor::<Unlimited>().with_executor::<Limited>();
        let node = node.start().await.unwrap();
        let first = Unlimited::builder().enqueue_to_backend(&world.backend).await.unwrap();
        assert_eq!(told.next().await, "began");
        let mut waiting = Vec::new();
        for number in 0..3 {
            let job = Limited::builder().with_data(number).enqueue_to_backend(&world.backend);
            waiting.push(job.await.unwrap().id());
        }
        world.seconds(600).await;
        assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Executing), "none is out of time");
        open.send(()).unwrap();
        assert_eq!([told.next().await, told.next().await], ["ended", "0"]);
        world.clock.advance(TimeDelta::milliseconds(1_999)).await;
        open.send(()).unwrap();
        assert_eq!([told.next().await, told.next().await], ["None", "1"]);
        world.seconds(2).await;
        world.clock.settle().await;
        open.send(()).unwrap();
        assert_eq!([told.next().await, told.next().await], ["Some(TimedOut)", "2"], "its own time is limited");
        open.send(()).unwrap();
        assert_eq!(told.next().await, "None");
        node.graceful_shutdown().await;
        assert_eq!(world.row(first).await.status, JobStatus::Complete);
        for (number, expected) in [JobStatus::Complete, JobStatus::Retryable, JobStatus::Complete].iter().enumerate() {
            let row = world.row(waiting[number]).await;
            assert_eq!((row.status, row.errors.len()), (*expected, usize::from(number == 1)), "job {number}");
        }
    });
}

#[test]
fn case_13_a_blocking_job_that_waits_for_a_thread_is_given_back_at_once_when_it_is_told_to_stop() {
    with_one_thread(async |world, tell, mut told| {
        let (open, gate) = Gate::new();
        let node = world.node().with_shutdown_grace(Duration::from_secs(10)).with_state(tell).with_state(gate);
        let node = node.with_executor::<Unlimited>().with_executor::<Limited>().start().await.unwrap();
        let _ = Unlimited::builder().enqueue_to_backend(&world.backend).await.unwrap();
        assert_eq!(told.next().await, "began");
        let cancelled = Limited::builder().with_data(1).enqueue_to_backend(&world.backend).await.unwrap().id();
        let waiting = Limited::builder().with_data(2).enqueue_to_backend(&world.backend).await.unwrap().id();
        world.clock.settle().await;
        Limited::cancel_job_on_backend(cancelled, Box::new("no need"), &world.backend).await.unwrap();
        world.clock.settle().await;
        assert_eq!(world.row(cancelled).await.status, JobStatus::Cancelled);
        let shutdown = tokio::spawn(node.graceful_shutdown());
        world.seconds(10).await;
        world.clock.settle().await;
        let row = world.row(waiting).await;
        assert_eq!((row.status, row.attempt), (JobStatus::Scheduled, 0));
        drop(open);
        shutdown.await.unwrap();
        assert_eq!(told.all(), ["ended"], "the others have never begun");
    });
}

/// Case 14: a blocking job that outlived the grace was given back, and ran on another node while its thread went on.
#[tokio::test]
async fn case_14_a_blocking_job_is_nobody_elses_while_its_thread_goes_on() {
    let world = World::new();
    let (tell, mut told) = tell();
    let (open, gate) = Gate::new();
    let node = async || {
        let node = world.node().with_state(tell.clone()).with_state(gate.clone()).with_executor::<Unlimited>();
        node.start().await.unwrap()
    };
    let ending = node().await;
    let id = Unlimited::builder().enqueue_to_backend(&world.backend).await.unwrap();
    assert_eq!(told.next().await, "began");
    let first = world.row(id).await;
    let other = node().await;
    let mut shutdown = Box::pin(ending.graceful_shutdown());
    world.seconds(3_600).await;
    assert!(futures::poll!(&mut shutdown).is_pending(), "its thread goes on");
    assert!(world.backend.heartbeat(first.node.unwrap()).await.unwrap().member, "and it says that it lives");
    let row = world.row(id).await;
    assert_eq!((row.status, row.node, row.lease), (JobStatus::Executing, first.node, first.lease));
    assert_eq!(told.all(), [""; 0]);
    open.send(()).unwrap();
    shutdown.await;
    assert_eq!(told.all(), ["ended"]);
    assert_eq!(
        world.row(id).await.status,
        JobStatus::Complete,
        "it has not looked at its token, so it was not interrupted"
    );
    assert!(!world.backend.heartbeat(first.node.unwrap()).await.unwrap().member);
    other.graceful_shutdown().await;
}
