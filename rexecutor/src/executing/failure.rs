//! Errors that decide what happens next.

use std::{
    error::Error,
    fmt::{self, Display},
};

use chrono::TimeDelta;

use super::disposition::Disposition;

type BoxError = Box<dyn Error + Send + Sync>;

/// An error of a job that decides what happens next, in place of a retry after the job's backoff.
///
/// It may be returned as it is, with `?` through `Box<dyn Error + Send + Sync>` or `anyhow::Error`, or as the cause of
/// another error.
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
#[derive(Debug)]
pub struct JobFailure(Decision);

/// What [`JobFailure`] gives as its source: whoever wraps an error and hides its type still passes its sources on.
#[derive(Debug)]
struct Decision {
    disposition: Disposition,
    error: BoxError,
}

impl JobFailure {
    /// The job fails for good, whatever attempts are left.
    pub fn discard(error: impl Into<BoxError>) -> Self {
        Self(Decision { disposition: Disposition::Discard, error: error.into() })
    }

    /// The job is cancelled, with the error as the reason.
    pub fn cancel(error: impl Into<BoxError>) -> Self {
        Self(Decision { disposition: Disposition::Cancel, error: error.into() })
    }

    /// The attempt fails, and the next one comes after `delay`; a negative one counts as zero.
    pub fn retry_after(delay: TimeDelta, error: impl Into<BoxError>) -> Self {
        Self(Decision { disposition: Disposition::RetryAfter(delay), error: error.into() })
    }
}

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

/// An error and its causes, from the outside in.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> {
        (*error).source()
    })
}

/// What an error or one of its causes has decided.
pub(super) fn disposition(error: &(dyn Error + 'static)) -> Disposition {
    let decided = causes(error).find_map(|cause| cause.downcast_ref::<Decision>());
    decided.map_or(Disposition::Retry, |decision| decision.disposition.clone())
}

/// An error with its causes, each once: a decision says what the error before it has said.
pub(super) fn message(error: &(dyn Error + 'static)) -> String {
    let said = causes(error).filter(|cause| !cause.is::<Decision>());
    said.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An error with all its causes.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
