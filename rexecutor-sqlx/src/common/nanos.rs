//! Instants as nanoseconds since 1970, as rates are kept.

use chrono::{DateTime, Utc};

/// Of an instant after the year 2262 the largest.
pub(crate) fn nanos(at: DateTime<Utc>) -> i64 {
    at.timestamp_nanos_opt().unwrap_or(if at < DateTime::UNIX_EPOCH { i64::MIN } else { i64::MAX })
}

/// `None`: it is no instant that a job can have, so nothing is kept.
pub(crate) fn instant_of_nanos(nanos: i64) -> Option<DateTime<Utc>> {
    Some(DateTime::from_timestamp_nanos(nanos)).filter(|at| rexecutor::limits::is_storable(*at))
}
