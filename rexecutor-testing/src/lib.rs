//! Testing tools for rexecutor: tests with a backend and a clock of their own, jobs that are performed and drained, faults,
//! and the suite that every backend passes.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
pub mod conformance;
mod faulty;
mod idle;
mod runs;
mod simulation;
mod test;

pub use rexecutor::{assert_enqueued, assert_executed, refute_enqueued};
/// A test with a backend, a clock and a global backend of its own.
///
/// It stands on an `async fn` that takes nothing, or a [`Test`], and returns what a test may return. The function runs on
/// a current-thread runtime whose clock is a [`TestClock`]. Whatever it calls, and the tasks that it spawns, find the
/// test's backend as the global one, so that code which calls `.enqueue()` can be tested, and tests run beside each other
/// in one process.
///
/// | | |
/// | --- | --- |
/// | `backend = memory` | in memory; the default |
/// | `backend = sqlite` | SQLite in memory; needs this crate's feature `sqlite` |
/// | `backend = postgres` | a schema of its own in the database of `DATABASE_URL`, dropped afterwards; needs the feature `postgres` |
/// | `jobs = [A, B]` | the registered jobs that [`Test::node`] and [`drain`] run; all of them, if it is left out |
/// | `crate = path` | where this crate is, if not at `::rexecutor_testing` |
///
/// A job that works on a thread, or waits for a socket, is waited for when the clock moves: see [`Test::advance`] and
/// [`Test::settled`].
///
/// ```
/// use rexecutor::prelude::*;
/// use rexecutor_testing::{Test, assert_enqueued};
///
/// #[job(max_attempts = 3, backoff = constant("5m"))]
/// async fn sync_account(account: u32, context: JobContext) -> Result<(), String> {
///     if context.attempt() < 3 { Err(format!("account {account} is locked")) } else { Ok(()) }
/// }
///
/// #[rexecutor_testing::test]
/// async fn a_locked_account_is_tried_again(test: Test) {
///     SyncAccount::enqueue(7).await.unwrap();
///     let node = test.node().start().await.unwrap();
///     test.advance(TimeDelta::minutes(5)).await;
///     assert_enqueued!(1 job, with_status: JobStatus::Retryable, with_data: 7);
///     test.advance(TimeDelta::minutes(5)).await;
///     assert_enqueued!(1 job, with_status: JobStatus::Complete, with_data: 7);
///     node.graceful_shutdown().await;
/// }
/// # a_locked_account_is_tried_again();
/// ```
pub use rexecutor_derive::test;

#[doc(hidden)]
pub use self::test::__private;

pub use self::{
    clock::TestClock,
    faulty::{Fault, Faulty, Operation},
    simulation::{Planted, Report, simulate, simulate_planted},
    test::{Drain, Drained, Perform, Performed, Ran, Test, clock, drain, perform},
};
