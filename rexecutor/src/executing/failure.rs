//! Errors that decide what happens next.

use std::{
    error::Error,
    fmt::{self, Display},
};

use chrono::TimeDelta;

use super::{
    disposition::{Disposition, ExecutionError},
    known,
};
use crate::causes::causes;

type BoxError = Box<dyn Error + Send + Sync>;

/// An error of a job that decides what happens next, in place of a retry after the job's backoff.
///
/// It may be returned as it is, with `?` through `Box<dyn Error + Send + Sync>` or `anyhow::Error`, or as the cause of
/// another error. An [`ExecutionError`] that is a `std::error::Error` becomes one with `?` or [`From`], and decides as it
/// did.
///
/// # Examples
///
/// ```
/// use rexecutor::{executor::JobFailure, prelude::*};
///
/// #[job]
/// async fn charge(card: String) -> Result<(), JobFailure> {
///     match card.as_str() {
///         "expired" => Err(JobFailure::discard("the card has expired")),
///         "busy" => Err(JobFailure::retry_after(TimeDelta::minutes(5), "the bank is busy")),
///         _ => Ok(()),
///     }
/// }
/// ```
pub struct JobFailure(Decision);

/// What [`JobFailure`] gives as its source: whoever wraps an error and hides its type still passes its sources on.
struct Decision {
    disposition: Disposition,
    /// The short name that the error gave itself.
    error_type: Option<String>,
    error: BoxError,
}

impl JobFailure {
    /// The job fails for good, whatever attempts are left.
    pub fn discard(error: impl Into<BoxError>) -> Self {
        Self::new(Disposition::Discard, error)
    }

    /// The job is cancelled, with the error as the reason.
    pub fn cancel(error: impl Into<BoxError>) -> Self {
        Self::new(Disposition::Cancel, error)
    }

    /// There is nothing to do for the job: it is cancelled, with the reason, and shown as skipped. In a
    /// [workflow](crate::workflows) the tasks behind it are skipped, too, unless they are told otherwise.
    ///
    /// ```
    /// use rexecutor::{executor::JobFailure, prelude::*};
    ///
    /// #[job]
    /// async fn refund(cents: u32) -> Result<(), JobFailure> {
    ///     match cents {
    ///         0 => Err(JobFailure::skip("nothing was paid")),
    ///         _ => Ok(()),
    ///     }
    /// }
    /// ```
    pub fn skip(reason: impl Into<BoxError>) -> Self {
        Self::new(Disposition::Skip, reason)
    }

    /// The attempt fails, and the next one comes after `delay`; a negative one counts as zero. The last attempt is the last
    /// all the same: after it the job is discarded.
    pub fn retry_after(delay: TimeDelta, error: impl Into<BoxError>) -> Self {
        Self::new(Disposition::RetryAfter(delay), error)
    }

    /// The job has met a quota: it is tried again after `retry_after`, and no other job of its executor starts before, on any
    /// node. The attempt does not count, so this may go on for ever; a [deadline](crate::executor::Executor::DEADLINE) ends it.
    /// At least 100 ms ([`MIN_SNOOZE`](crate::limits::MIN_SNOOZE)), also where it is zero or negative.
    ///
    /// Where each key of the executor has a [rate](crate::executor::Executor::KEY_RATE) of its own, it is the jobs of this one's key that
    /// are held back, and no others.
    ///
    /// Jobs that run already are left to end. Of several such answers the longest holds.
    ///
    /// ```
    /// use rexecutor::{executor::JobFailure, prelude::*};
    ///
    /// # async fn call(_: &str) -> Result<u32, String> { Ok(200) }
    /// #[job(rate_limit = "10/s")]
    /// async fn sync_orders(shop: String) -> Result<(), JobFailure> {
    ///     match call(&shop).await {
    ///         Ok(429) => Err(JobFailure::throttled(TimeDelta::seconds(30))),
    ///         Ok(_) => Ok(()),
    ///         Err(error) => Err(JobFailure::retry_after(TimeDelta::minutes(1), error)),
    ///     }
    /// }
    /// ```
    pub fn throttled(retry_after: TimeDelta) -> Self {
        Self::new(Disposition::Throttle(retry_after), "throttled")
    }

    fn new(disposition: Disposition, error: impl Into<BoxError>) -> Self {
        Self(Decision { disposition, error_type: None, error: error.into() })
    }
}

/// With `?`: what the error says of itself goes with it, through whatever wraps it from then on.
impl<E: ExecutionError + Error + Sync + 'static> From<E> for JobFailure {
    fn from(error: E) -> Self {
        let (disposition, error_type) = (error.disposition(), Some(error.error_type().to_owned()));
        Self(Decision { disposition, error_type, error: Box::new(error) })
    }
}

crate::debug_as_sentence!(JobFailure, Decision);

impl Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for JobFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Decision {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// What an error or one of its causes has decided: the outermost one that asks for anything but a retry as usual.
pub(crate) fn disposition(error: &(dyn Error + 'static)) -> Disposition {
    let decided = causes(error).filter_map(|cause| match cause.downcast_ref::<Decision>() {
        Some(decision) => Some(decision.disposition.clone()),
        None => known::find(cause).map(ExecutionError::disposition),
    });
    decided.into_iter().find(|decided| *decided != Disposition::Retry).unwrap_or(Disposition::Retry)
}

/// The short name that an error or one of its causes has given itself.
pub(crate) fn error_type<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a str> {
    causes(error).find_map(|cause: &'a (dyn Error + 'static)| match cause.downcast_ref::<Decision>() {
        Some(decision) => decision.error_type.as_deref(),
        None => known::find(cause).map(ExecutionError::error_type),
    })
}

/// An error with its causes, each once: a decision says what the error before it has said.
pub(super) fn message(error: &(dyn Error + 'static)) -> String {
    let said = causes(error).filter(|cause| !cause.is::<Decision>());
    said.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
