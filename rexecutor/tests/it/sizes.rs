//! Case 32: what a node holds, and what a job may have, is bounded.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rexecutor::{limits::MAX_TAGS, prelude::*};
use tokio::sync::Semaphore;

use super::support::World;

/// What the jobs of a test share.
#[derive(Clone)]
struct Hall {
    gate: Arc<Semaphore>,
    inside: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Hall {
    fn new() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), inside: Arc::default(), most: Arc::default() }
    }

    async fn visit(&self) {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

#[job]
async fn resize(_image: String, State(hall): State<Hall>) {
    hall.visit().await;
}

#[job]
async fn rotate(_image: String, State(hall): State<Hall>) {
    hall.visit().await;
}

const BYTES: usize = 10_000;

async fn enqueue<E: Executor<Data = String, Metadata = ()>>(world: &World, count: usize) {
    for _ in 0..count {
        let _ = E::builder().with_data("x".repeat(BYTES)).enqueue_to_backend(&world.backend).await.unwrap();
    }
}

#[tokio::test]
async fn case_32_a_node_holds_no_more_bytes_than_it_may_and_runs_all_jobs() {
    let (world, hall) = (World::new(), Hall::new());
    let node = world.node().with_max_held_bytes(10 * BYTES).with_state(hall.clone());
    let node = node.with_executor::<Resize>().start().await.unwrap();
    enqueue::<Resize>(&world, 100).await;
    world.clock.settle().await;
    // The data have two quotes each, so ten of them are more than the limit.
    assert_eq!(hall.inside.load(Ordering::SeqCst), 10);
    let executing =
        |rows: &[rexecutor::backend::JobRow]| rows.iter().filter(|row| row.status == JobStatus::Executing).count();
    assert_eq!(executing(&world.rows().await), 10, "nothing else is claimed");
    // Each that ends makes room for the next, without a wait.
    hall.gate.add_permits(30);
    world.clock.settle().await;
    assert_eq!((hall.inside.load(Ordering::SeqCst), executing(&world.rows().await)), (10, 10));
    hall.gate.add_permits(70);
    world.clock.settle().await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete && row.attempt == 1));
    assert_eq!(hall.most.load(Ordering::SeqCst), 10);
    node.graceful_shutdown().await;
}

#[tokio::test]
async fn case_32_executors_share_what_may_be_held_and_one_job_runs_whatever_its_size() {
    let (world, hall) = (World::new(), Hall::new());
    enqueue::<Resize>(&world, 20).await;
    enqueue::<Rotate>(&world, 20).await;
    let node = world.node().with_max_held_bytes(1).with_state(hall.clone());
    let node = node.with_executor::<Resize>().with_executor::<Rotate>().start().await.unwrap();
    world.clock.settle().await;
    assert_eq!(hall.inside.load(Ordering::SeqCst), 2, "one of each");
    hall.gate.add_permits(40);
    world.clock.settle().await;
    assert!(world.rows().await.iter().all(|row| row.status == JobStatus::Complete));
    assert_eq!(hall.most.load(Ordering::SeqCst), 2);
    node.graceful_shutdown().await;
    assert!(world.node().with_max_held_bytes(0).start().await.is_err());
}

/// 20,000 tags were stored with a job, and read with every claim of it.
#[test]
fn case_32_a_job_has_no_more_tags_than_the_limit() {
    let tags = |count: usize| (0..count).map(|nth| nth.to_string());
    let new = |count| Resize::builder().with_data(String::new()).with_tags(tags(count)).encode();
    assert_eq!(new(MAX_TAGS).unwrap().tags.len(), 100);
    assert_eq!(new(MAX_TAGS + 1).unwrap_err().to_string(), "tags: 101 tags; the limit is 100");
    let doubled = tags(MAX_TAGS).chain(tags(MAX_TAGS));
    assert!(Resize::builder().with_data(String::new()).with_tags(doubled).encode().is_ok(), "each counts once");
}
