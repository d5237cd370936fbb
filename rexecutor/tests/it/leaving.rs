//! A node that ends while the backend is away, or its runtime is.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use rexecutor::{backend::memory::InMemoryBackend, prelude::*};
use rexecutor_testing::{Fault, Operation};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::{
    executor,
    support::{Tell, World, tell},
};

executor!(Works, "works", {}, |job| {
    Tell::of(&job).say(job.data);
    ExecutionResult::Done
});

/// The field `outcomes` of every event that has one.
#[derive(Clone, Default)]
struct Lost(Arc<Mutex<Vec<String>>>);

impl Visit for Lost {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "outcomes" {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }
}

impl<S: Subscriber> Layer<S> for Lost {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

/// What goes wrong when a node ends: calls fail, or are never answered.
fn outages() -> [Fault; 2] {
    [Fault::error(), Fault::delay(Duration::from_secs(86_400))]
}

/// Case 16: an idle node took half a minute to end while the database was away.
#[tokio::test]
async fn case_16_a_node_that_has_nothing_to_store_ends_at_once() {
    for (outage, seconds) in outages().into_iter().zip([0, 2]) {
        let lost = Lost::default();
        let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(lost.clone()));
        let world = World::new();
        let (tell, _told) = tell();
        let node = world.node().with_state(tell).with_executor::<Works>().start().await.unwrap();
        world.seconds(1).await;
        world.backend.inject(outage);
        let mut shutdown = node.graceful_shutdown();
        world.seconds(seconds).await;
        world.clock.settle().await;
        assert!(futures::poll!(&mut shutdown).is_ready());
        assert_eq!(*lost.0.lock().unwrap(), [""; 0], "nothing is lost");
    }
}

/// A claim that is never answered, or one after another that fails.
#[tokio::test]
async fn case_16_a_claim_that_is_not_answered_is_not_waited_for() {
    for outage in outages() {
        let world = World::new();
        let (tell, _told) = tell();
        let node = world.node().with_state(tell).with_executor::<Works>().start().await.unwrap();
        world.seconds(1).await;
        world.backend.inject(outage);
        // It looks for jobs every five seconds, without an answer.
        world.seconds(10).await;
        let mut shutdown = node.graceful_shutdown();
        world.seconds(4).await;
        world.clock.settle().await;
        assert!(futures::poll!(&mut shutdown).is_ready());
    }
}

#[tokio::test]
async fn case_16_the_shutdown_grace_bounds_what_is_stored_and_the_count_of_what_is_lost_is_true() {
    for outage in outages() {
        let lost = Lost::default();
        let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(lost.clone()));
        let world = World::new();
        let (tell, mut told) = tell();
        let node = world.node().with_shutdown_grace(Duration::from_secs(7)).with_state(tell).with_executor::<Works>();
        let node = node.start().await.unwrap();
        world.seconds(1).await;
        world.backend.inject(outage.on([Operation::Settle, Operation::Heartbeat]));
        world.enqueue::<Works>(10).await;
        world.clock.settle().await;
        assert_eq!(told.all().len(), 10);
        let mut shutdown = node.graceful_shutdown();
        world.clock.advance(TimeDelta::milliseconds(6_900)).await;
        assert!(futures::poll!(&mut shutdown).is_pending(), "it tries as long as it may");
        world.clock.advance(TimeDelta::milliseconds(100)).await;
        world.clock.settle().await;
        assert!(futures::poll!(&mut shutdown).is_ready());
        assert_eq!(*lost.0.lock().unwrap(), ["10"]);
    }
}

fn on_a_thread_of_its_own() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Case 17: the node's runtime was dropped before, or after, anything of the node had run; whoever waited waited for ever.
#[test]
fn case_17_a_node_whose_runtime_is_gone_has_left() {
    for has_run in [false, true] {
        for until_idle in [false, true] {
            let runtime = on_a_thread_of_its_own();
            let (tell, _told) = tell();
            let node =
                Rexecutor::builder().with_backend(InMemoryBackend::new()).with_state(tell).with_executor::<Works>();
            let node = runtime.block_on(node.start()).unwrap();
            if has_run {
                runtime.block_on(tokio::task::yield_now());
            }
            drop(runtime);
            on_a_thread_of_its_own().block_on(async {
                match until_idle {
                    true => node.run_until_idle().await,
                    false => node.graceful_shutdown().await,
                }
            });
        }
    }
}

/// … and somebody who waits already is told.
#[test]
fn case_17_whoever_waits_is_told_when_the_runtime_goes() {
    let runtime = on_a_thread_of_its_own();
    let (tell, _told) = tell();
    let node = Rexecutor::builder().with_backend(InMemoryBackend::new()).with_state(tell).with_executor::<Works>();
    let node = runtime.block_on(node.start()).unwrap();
    let waiting = std::thread::spawn(move || on_a_thread_of_its_own().block_on(node.graceful_shutdown()));
    drop(runtime);
    waiting.join().unwrap();
}

/// Case 48: a join that was under way when the node ended left a member behind.
#[tokio::test]
async fn case_48_a_node_that_ends_while_it_joins_leaves_no_member_behind() {
    let world = World::new();
    let (tell, _told) = tell();
    world.backend.inject(Fault::late_answer(Duration::from_secs(1)).on([Operation::Join]));
    let node = world.node().with_state(tell).with_executor::<Works>().start().await.unwrap();
    world.clock.settle().await;
    assert_eq!(world.backend.calls(Operation::Join), 1);
    let shutdown = tokio::spawn(node.graceful_shutdown());
    world.seconds(1).await;
    shutdown.await.unwrap();
    assert_eq!(world.backend.calls(Operation::Leave), 1);
}
