//! Nodes whose clocks are wrong: the backend's decides.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{backend::memory::InMemoryBackend, clock::Clock, node::NodeBuilder, prelude::*};
use rexecutor_testing::{Operation, TestClock};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::{
    executor,
    support::{Tell, World, patient, tell},
};

executor!(Tells, "tells", {}, |job| {
    Tell::of(&job).say(job.data);
    ExecutionResult::Done
});

/// Trap 18: leaders elected by host name or by the node's clock: double ticks for 19 days.
#[tokio::test]
async fn trap_18_nodes_of_one_name_whose_clocks_differ_by_hours_enqueue_each_tick_once() {
    let world = World::new();
    let (tell, mut told) = tell();
    let wrong = [-7_200, -50, 90, 10_800].map(|by| TestClock::starting_at(TestClock::START + TimeDelta::seconds(by)));
    let mut nodes = Vec::new();
    for clock in &wrong {
        let node = world.node().with_clock(clock.clone()).with_label("the same").with_state(tell.clone());
        let schedule = "0 0 * * * *".parse().unwrap();
        nodes.push(node.with_cron_executor::<Tells>(schedule, 5, rexecutor::Tz::UTC).start().await.unwrap());
    }
    for _ in 0..5 * 60 {
        for clock in wrong.iter().chain([&world.clock]) {
            clock.advance(TimeDelta::seconds(60)).await;
        }
    }
    for clock in &wrong {
        clock.advance(TimeDelta::seconds(61)).await;
    }
    assert_eq!(told.all(), ["5"; 5]);
    let due: Vec<_> =
        world.rows().await.iter().map(|row| (row.scheduled_at - TestClock::START).num_minutes()).collect();
    assert_eq!(due, [60, 120, 180, 240, 300]);
}

/// Trap 39: half of the checks use the node's clock and half the database's; a skew of 100 ms makes the loop spin.
#[tokio::test]
async fn trap_39_a_node_whose_clock_is_wrong_starts_jobs_when_they_are_due_and_does_not_spin() {
    for skew in [-60_000, -100, 100, 60_000] {
        let world = World::new();
        let (tell, mut told) = tell();
        let clock = TestClock::starting_at(TestClock::START + TimeDelta::milliseconds(skew));
        let both = async |by: i64| {
            for clock in [&world.clock, &clock] {
                clock.advance(TimeDelta::milliseconds(by)).await;
            }
        };
        let node = world.node().with_clock(clock.clone()).with_state(tell).with_executor::<Tells>();
        let _node = node.start().await.unwrap();
        clock.settle().await;
        let later = Tells::builder().with_data(1).schedule_in(TimeDelta::milliseconds(3_000));
        let _ = later.enqueue_to_backend(&world.backend).await.unwrap();
        let before = world.backend.calls(Operation::Claim);
        for _ in 0..29 {
            both(100).await;
        }
        assert_eq!(told.all(), [""; 0], "skewed by {skew} ms, it is not due yet");
        both(200).await;
        clock.settle().await;
        assert_eq!(told.all(), ["1"], "skewed by {skew} ms");
        let claims = world.backend.calls(Operation::Claim) - before;
        assert!(claims <= 4, "skewed by {skew} ms, the node claimed {claims} times");
    }
}

/// The clock of a machine, which goes as fast as the test's, and can be set.
#[derive(Debug, Clone)]
struct Machine(TestClock, Arc<Mutex<TimeDelta>>);

impl Machine {
    fn set(&self, ahead: TimeDelta) {
        *self.1.lock().unwrap() = ahead;
    }
}

impl Clock for Machine {
    fn now(&self) -> DateTime<Utc> {
        self.0.now() + *self.1.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }
}

/// Counts the warnings that a last tick lies ahead.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let is_meant = event.metadata().fields().iter().any(|field| field.name() == "last_tick");
        self.0.fetch_add(usize::from(is_meant && *event.metadata().level() == tracing::Level::WARN), Ordering::Relaxed);
    }
}

/// A backend in memory on the clock of a machine, which its nodes go by, too.
struct OneMachine {
    clock: Machine,
    backend: Arc<InMemoryBackend>,
    warnings: Warnings,
    _log: tracing::subscriber::DefaultGuard,
}

impl OneMachine {
    fn new() -> Self {
        let clock = Machine(TestClock::new(), Arc::default());
        let (backend, warnings) = (InMemoryBackend::new().with_clock(clock.clone()), Warnings::default());
        let log = tracing_subscriber::registry().with(warnings.clone());
        Self { clock, backend: Arc::new(backend), warnings, _log: tracing::subscriber::set_default(log) }
    }

    async fn node(&self, expression: &str, tell: &Tell) -> Rexecutor<rexecutor::node::GlobalSet> {
        self.start(Rexecutor::builder(), expression, tell).await
    }

    async fn start(&self, node: NodeBuilder, expression: &str, tell: &Tell) -> Rexecutor<rexecutor::node::GlobalSet> {
        let node = node.with_backend(self.backend.clone()).with_clock(self.clock.clone()).with_state(tell.clone());
        node.with_cron_executor::<Tells>(expression.parse().unwrap(), 5, rexecutor::Tz::UTC).start().await.unwrap()
    }

    async fn minutes(&self, minutes: i64) {
        self.clock.0.advance(TimeDelta::minutes(minutes)).await;
        self.clock.0.settle().await;
    }
}

#[tokio::test]
async fn case_44_a_clock_that_is_set_back_two_hours_stops_no_schedule() {
    let world = OneMachine::new();
    let (tell, mut told) = tell();
    let node = world.node("0 */10 * * * *", &tell).await;
    world.minutes(65).await;
    assert_eq!(told.all().len(), 6);
    world.clock.set(TimeDelta::hours(-2));
    world.minutes(56).await;
    assert_eq!((told.all().len(), world.warnings.0.load(Ordering::Relaxed)), (6, 1));
    // The tick of a moment ago does not come again.
    world.clock.set(TimeDelta::hours(-2) - TimeDelta::seconds(100));
    world.minutes(60).await;
    assert_eq!((told.all().len(), world.warnings.0.load(Ordering::Relaxed)), (5, 1));
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn case_44_a_clock_that_was_ten_years_ahead_for_two_minutes_stops_no_schedule() {
    for restarts in [false, true] {
        let world = OneMachine::new();
        let (tell, mut told) = tell();
        let mut node = world.node("0 */10 * * * *", &tell).await;
        world.minutes(65).await;
        world.clock.set(TimeDelta::days(3_653));
        world.minutes(2).await;
        assert_eq!(told.all().len(), 7, "six in the hour, and the last one that was missed in ten years");
        if restarts {
            node.graceful_shutdown().await;
        }
        world.clock.set(TimeDelta::zero());
        if restarts {
            node = world.node("0 */10 * * * *", &tell).await;
        }
        world.minutes(60).await;
        assert_eq!((told.all().len(), world.warnings.0.load(Ordering::Relaxed)), (6, 1), "restarted: {restarts}");
        node.graceful_shutdown().await;
    }
}

#[tokio::test]
async fn case_44_the_tick_that_was_the_last_before_a_clock_was_set_back_comes_once_if_it_is_the_next_one_too() {
    let world = OneMachine::new();
    let (tell, mut told) = tell();
    let node = world.start(patient(Rexecutor::builder()), "0 0 12 * * *", &tell).await;
    world.minutes(13 * 60).await;
    assert_eq!(told.all().len(), 1);
    world.clock.set(TimeDelta::hours(-2));
    world.minutes(12 * 60).await;
    assert_eq!((told.all().len(), world.warnings.0.load(Ordering::Relaxed)), (0, 0));
    world.minutes(24 * 60).await;
    assert_eq!(told.all().len(), 1);
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn case_44_a_clock_that_is_corrected_by_seconds_makes_no_tick_come_twice() {
    let world = OneMachine::new();
    let (tell, mut told) = tell();
    let node = world.node("*/10 * * * * *", &tell).await;
    world.minutes(2).await;
    world.clock.set(TimeDelta::seconds(-50));
    world.minutes(3).await;
    // Every ten seconds of the 250 that its clock went, but for the first.
    assert_eq!((told.all().len(), world.warnings.0.load(Ordering::Relaxed)), (24, 0));
    node.graceful_shutdown().await;
}
