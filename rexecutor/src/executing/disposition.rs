//! What an error of a job says, and what is to happen next.

use std::fmt::Display;

use chrono::TimeDelta;

/// An error that a job gives: stored with the job, and decides what happens next.
///
/// It is honoured where a `#[job]` returns it as `Result<(), E>`, also as `Box<E>`, `Box<dyn ExecutionError>` or converted
/// into a [`JobFailure`](super::JobFailure); `?` converts it into both. Where it is also a `std::error::Error`, its causes
/// are stored with it, and one of them that is a `JobFailure` decides if the error itself only asks for a retry.
///
/// **`Box<dyn std::error::Error>`, `anyhow::Error` and errors that wrap it hide its type**, and with that what it decides,
/// unless the program says once that it is to be looked for:
/// [`execution_error!(NoSuchAddress);`](crate::execution_error).
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

impl<E: ExecutionError> ExecutionError for Box<E> {
    fn error_type(&self) -> &str {
        (**self).error_type()
    }

    fn disposition(&self) -> Disposition {
        (**self).disposition()
    }
}

/// With `?`.
impl<'a, E: ExecutionError + 'a> From<E> for Box<dyn ExecutionError + 'a> {
    fn from(error: E) -> Self {
        Box::new(error)
    }
}

/// What is to happen after an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// Try again after the executor's backoff, while there are attempts left.
    Retry,
    /// Try again after this delay, while there are attempts left: a job that fails its last one is discarded, as it is
    /// with [`Retry`](Self::Retry). A negative delay counts as zero.
    RetryAfter(TimeDelta),
    /// Try again after this delay, and start no other job of this executor before, on any node. The attempt does not count:
    /// the job has met a quota, and it is no fault of its own. At least 100 ms
    /// ([`MIN_SNOOZE`](crate::limits::MIN_SNOOZE)), also where it is zero or negative.
    Throttle(TimeDelta),
    /// Fail for good, whatever attempts are left: the job is discarded.
    Discard,
    /// Give the job up: it is cancelled.
    Cancel,
    /// There is nothing to do: the job is cancelled, and shown as skipped. In a workflow, so are those behind it by default.
    Skip,
}
