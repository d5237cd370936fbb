//! Unreadable rows: a backend discards them with the reason, and they stop nothing else.

pub(super) mod cases;

use futures::future::BoxFuture;
use rexecutor::job::JobId;

/// One way to make a row unreadable.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// The column that the error must name; `errors`, if it is a recorded error that cannot be read.
    pub column: &'static str,
    /// How it is done: whatever [`Damage::damage`] understands.
    pub how: &'static str,
}

/// Breaks a backend's rows from outside, as another program with access to the tables could: the guard that the closure of
/// [`conformance_damage!`](crate::conformance_damage) returns beside the backend.
pub trait Damage: Send + Sync {
    /// Every way to make a row unreadable that the backend's tables accept, at least one for each column.
    fn ways(&self) -> Vec<Way>;

    /// Breaks a job's row.
    fn damage<'a>(&'a self, job: JobId, way: Way) -> BoxFuture<'a, ()>;

    /// The stored status of a job, and its recorded errors in any form.
    fn look<'a>(&'a self, job: JobId) -> BoxFuture<'a, (String, String)>;
}

/// Checks how a backend deals with unreadable rows.
///
/// As [`conformance!`](macro@crate::conformance), but the closure returns
/// [`With`](crate::conformance::With)`(backend, damage)`, where `damage` implements
/// [`Damage`](crate::conformance::Damage). It is for backends that keep rows which another program can change. A backend in
/// memory has none.
#[macro_export]
macro_rules! conformance_damage {
    ($name:ident, $backend:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::__damage_cases! {
                ($backend)
                trap_09_a_claim_quarantines_unreadable_rows_and_gives_the_others,
                a_claim_of_a_long_queue_quarantines_unreadable_rows_and_gives_the_others,
                a_query_leaves_out_unreadable_rows_and_fills_its_limit,
                a_settlement_of_an_unreadable_row_is_refused_and_the_others_are_stored,
                a_rescue_quarantines_unreadable_rows_and_rescues_the_others,
                pruning_and_heartbeats_are_not_failed_by_unreadable_rows,
                a_change_of_an_unreadable_row_names_the_column_and_changes_nothing,
                an_unreadable_row_conflicts_until_it_is_quarantined,
            }
        }
    };
}

/// Not public API.
#[doc(hidden)]
#[macro_export]
macro_rules! __damage_cases {
    (($backend:expr) $($case:ident,)*) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::run_damaged($backend, |harness, damage| async move {
                    $crate::conformance::damage_cases::$case(&harness, &*damage).await;
                });
            }
        )*
    };
}
