//! What every backend must do, as a list of cases that any backend can be held to.
//!
//! An author of a backend writes one line in a test file:
//!
//! ```
//! use rexecutor::backend::memory::InMemoryBackend;
//! use rexecutor_testing::TestClock;
//!
//! rexecutor_testing::conformance!(memory, |clock: TestClock| async move {
//!     InMemoryBackend::new().with_clock(clock)
//! });
//! # fn main() {}
//! ```
//!
//! It becomes a module with a test for each case. The closure makes a new, empty backend that goes by the clock it is
//! given. What has to live as long as the backend, as the guard of a temporary folder, is returned beside it, in
//! [`With`].

mod aging;
mod amend;
mod audit;
mod batch_jobs;
mod batches;
mod breakers;
mod claim;
mod clocks;
mod control;
mod costs;
mod damage;
mod deadlines;
mod declared;
mod ends;
mod enqueue;
mod entries;
mod event_sources;
mod events;
mod explain;
mod flow_list;
mod follow;
mod harness;
mod history;
mod key_rates;
mod keys;
mod limits;
mod lines;
mod list;
mod maintain;
mod observe;
mod oracle;
mod order;
mod overlaps;
mod query;
mod rates;
mod reports;
mod room;
mod schedules;
mod set_limits;
mod settle;
mod shared;
mod signals;
mod sizes;
mod steps;
mod streams;
mod survey;
mod tags;
mod windows;
mod workflow;
mod workflow_jobs;
mod workflows;

use std::sync::Arc;

use rexecutor::backend::Backend;

pub use self::{
    damage::{Damage, Way},
    harness::{Guarded, Harness, With},
};
#[doc(hidden)]
pub use self::{list::cases, oracle::compare};

/// Runs a case on a runtime of its own.
#[doc(hidden)]
pub fn run<B, MakeFuture, Case, CaseFuture>(make: impl FnOnce(crate::TestClock) -> MakeFuture, case: Case)
where
    B: Guarded,
    MakeFuture: Future<Output = B>,
    Case: FnOnce(Harness) -> CaseFuture,
    CaseFuture: Future<Output = ()>,
{
    on_a_runtime(async {
        let clock = crate::TestClock::new();
        let (backend, _guard) = make(clock.clone()).await.split();
        case(Harness::new(backend, clock)).await;
    });
}

/// The cases of [`conformance_damage!`](crate::conformance_damage).
#[doc(hidden)]
pub mod damage_cases {
    pub use super::damage::cases::{
        a_change_of_an_unreadable_row_names_the_column_and_changes_nothing,
        a_claim_of_a_long_queue_quarantines_unreadable_rows_and_gives_the_others,
        a_query_leaves_out_unreadable_rows_and_fills_its_limit,
        a_rescue_quarantines_unreadable_rows_and_rescues_the_others,
        a_settlement_of_an_unreadable_row_is_refused_and_the_others_are_stored,
        an_unreadable_row_conflicts_until_it_is_quarantined, pruning_and_heartbeats_are_not_failed_by_unreadable_rows,
        trap_09_a_claim_quarantines_unreadable_rows_and_gives_the_others,
    };
}

/// Runs a case of [`conformance_damage!`](crate::conformance_damage).
#[doc(hidden)]
pub fn run_damaged<B, D, MakeFuture, Case, CaseFuture>(make: impl FnOnce(crate::TestClock) -> MakeFuture, case: Case)
where
    B: Backend,
    D: Damage,
    MakeFuture: Future<Output = With<B, D>>,
    Case: FnOnce(Harness, Arc<D>) -> CaseFuture,
    CaseFuture: Future<Output = ()>,
{
    on_a_runtime(async {
        let clock = crate::TestClock::new();
        let With(backend, damage) = make(clock.clone()).await;
        case(Harness::new(Arc::new(backend), clock), Arc::new(damage)).await;
    });
}

fn on_a_runtime(work: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("the system has threads").block_on(work);
}
