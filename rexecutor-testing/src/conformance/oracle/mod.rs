//! The backend beside the in-memory one, which calls the life cycle: the same calls at the same times, the same answers, and
//! the same rows after each.

mod apply;
mod call;
mod generate;

use std::sync::Arc;

use chrono::TimeDelta;
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use rexecutor::backend::{Backend, memory::InMemoryBackend};

use self::{apply::Side, call::Call, generate::call};
use super::harness::Guarded;
use crate::TestClock;

/// How many sequences of calls there are, each on a new backend.
const SEQUENCES: u32 = 40;

/// How many calls a sequence has, at most.
const CALLS: usize = 60;

/// Random sequences of calls, the same ones each time: a failure that comes and goes is nobody's. One that fails is made as
/// short as can be.
pub fn compare<B: Guarded, MakeFuture: Future<Output = B>>(make: impl Fn(TestClock) -> MakeFuture) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().expect("the system has threads");
    let config = ProptestConfig {
        cases: SEQUENCES,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let test = |calls: Vec<Call>| {
        runtime.block_on(async {
            let clock = TestClock::new();
            let (backend, _guard) = make(clock.clone()).await.split();
            follow(backend, clock, calls).await;
        });
        Ok(())
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let calls = prop::collection::vec(call(), 1..CALLS);
    if let Err(error) = TestRunner::new_with_rng(config, random).run(&calls, test) {
        panic!("{error}");
    }
}

async fn follow(backend: Arc<dyn Backend>, clock: TestClock, calls: Vec<Call>) {
    let model = Arc::new(InMemoryBackend::new().with_clock(clock.clone()));
    let (model, backend) = (Side::new(model).await, Side::new(backend).await);
    for (nth, call) in calls.into_iter().enumerate() {
        if let Call::Advance(micros) = call {
            clock.advance(TimeDelta::microseconds(micros)).await;
            continue;
        }
        if backend.lacks(&call) {
            continue;
        }
        // What there is to choose from is what the model has: numbers are alike on both sides.
        let rows = model.rows().await;
        let expected = model.apply(&call, &rows).await;
        assert_eq!(backend.apply(&call, &rows).await, expected, "the answer to call {nth}: {call:?}");
        assert_eq!(backend.rows().await, model.rows().await, "the rows after call {nth}: {call:?}");
    }
}
