//! What an error of a job says, and what is to happen next.

use std::fmt::Display;

use chrono::TimeDelta;

/// An error that a job gives: stored with the job, and decides what happens next.
///
/// # Examples
///
/// ```
/// use rexecutor::prelude::*;
///
/// #[derive(Debug)]
/// struct NoSuchAddress;
///
/// impl std::fmt::Display for NoSuchAddress {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("no such address")
///     }
/// }
///
/// impl ExecutionError for NoSuchAddress {
///     fn error_type(&self) -> &'static str {
///         "no_such_address"
///     }
///
///     fn disposition(&self) -> Disposition {
///         Disposition::Discard // trying again will not help
///     }
/// }
/// ```
pub trait ExecutionError: Display + Send {
    /// A short name for this kind of error, to count and group by.
    fn error_type(&self) -> &str;

    /// What is to happen next. The default is a retry after the executor's backoff.
    fn disposition(&self) -> Disposition {
        Disposition::Retry
    }
}

/// What is to happen after an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// Try again after the executor's backoff, while there are attempts left.
    Retry,
    /// Try again after this delay, while there are attempts left. A negative delay counts as zero.
    RetryAfter(TimeDelta),
    /// Fail for good, whatever attempts are left: the job is discarded.
    Discard,
    /// Give the job up: it is cancelled.
    Cancel,
}
