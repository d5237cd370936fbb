//! What a job must not exist beside, encoded and checked, for a backend to compare.

use chrono::TimeDelta;

use super::executor::{Executor, Retention};
use crate::{
    criteria::UniquenessCriteria,
    json,
    model::{JobStatus, Unique},
    validate::InvalidJob,
};

/// What these criteria compare, for a job of `E` with these encoded data.
///
/// # Errors
///
/// Where jobs that are meant to be the same would not be.
pub(crate) fn unique<E: Executor>(criteria: &UniquenessCriteria<'_>, data: &str) -> Result<Unique, InvalidJob> {
    let problem = |problem: &str| Err(InvalidJob::new("unique", problem));
    let Some(unique) = criteria.encode(E::NAME, data) else {
        return problem("the key does not encode as JSON; NaN and infinities do not either");
    };
    if let Some(within) = unique.within {
        if within < TimeDelta::microseconds(1) {
            return problem("the time within which jobs are unique must be over zero: 1 microsecond at least");
        }
        let is_gone_before = match E::RETENTION {
            Retention::Forever => false,
            Retention::None => true,
            Retention::For(age) => age < within,
        };
        if is_gone_before && unique.statuses.contains(JobStatus::Complete) {
            return problem(
                "complete jobs are deleted while they are still to be unique: let `Executor::RETENTION` keep them for longer, \
                 or leave `JobStatus::Complete` out of `for_statuses(..)`",
            );
        }
    }
    if criteria.compares_data() && has_no_order::<E>(data) {
        return problem(
            "the data hold a set that is written in another order each time, as `HashSet` is, so that equal data would be \
             different: use a `BTreeSet`, or compare a key with `by_key(..)`",
        );
    }
    Ok(unique)
}

/// Whether equal data may be written in several orders: where the type says so by its name, and, with debug assertions, where
/// it shows.
fn has_no_order<E: Executor>(data: &str) -> bool {
    let name = std::any::type_name::<E::Data>();
    if name.contains("::HashSet<") || name.contains("::DashSet<") {
        return true;
    }
    if !cfg!(debug_assertions) || !data.contains('[') {
        return false;
    }
    // A set of two has two orders, and each that is read takes one of them at random.
    let written_again = || {
        let read: E::Data = serde_json::from_str(data).ok()?;
        json::canonical(&serde_json::to_string(&read).ok()?)
    };
    let first = written_again();
    (0..12).any(|_| written_again() != first)
}
