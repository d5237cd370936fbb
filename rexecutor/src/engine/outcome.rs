//! From how the work of a run ended to the outcome that is settled.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

pub(super) use crate::causes::{catch, message};
use crate::{
    backend::lifecycle,
    context::Suspension,
    executing::{Disposition, EncodedOutput, ExecutionError, ExecutionResult},
    limits::MIN_SNOOZE,
    model::{ErrorType, Failure, Outcome},
    validate,
};

/// How the work of a run ended.
pub(super) enum End {
    Returned(ExecutionResult),
    Panicked(String),
    TimedOut(Duration),
    /// The job's deadline has come.
    Late(DateTime<Utc>),
    /// It was told to stop, knew of it, and returned this.
    Interrupted(ExecutionResult),
    Dropped,
    /// A step of it is over only later, or when a signal comes.
    Suspended(Suspension),
}

/// What is kept of a job that is complete: its row, and of its output so many bytes at most; `None`: nothing.
pub(super) type Kept = Option<usize>;

pub(super) fn outcome(end: End, backoff: TimeDelta, kept: Kept) -> Outcome {
    match end {
        End::Returned(result) => decided(result, backoff, kept),
        End::Interrupted(result) => match decided(result, backoff, kept) {
            // It ended because it was told to, not because its work was done, or failed.
            Outcome::Complete { .. } | Outcome::Retry { .. } => Outcome::GiveBack,
            decision => decision,
        },
        End::Panicked(panic) => fail(ErrorType::Panic, &panic, backoff),
        End::TimedOut(after) => fail(ErrorType::Timeout, &format!("ran for longer than {after:?}"), backoff),
        End::Late(deadline) => late(deadline),
        End::Dropped => Outcome::GiveBack,
        End::Suspended(Suspension { until, for_signal }) => Outcome::suspend(until, for_signal),
    }
}

/// Of a job whose deadline has come: no attempt follows.
pub(super) fn late(deadline: DateTime<Utc>) -> Outcome {
    Outcome::discard(lifecycle::deadline_passed(deadline))
}

fn decided(result: ExecutionResult, backoff: TimeDelta, kept: Kept) -> Outcome {
    catch(move || returned(result, backoff, kept)).unwrap_or_else(|panic| fail(ErrorType::Panic, &panic, backoff))
}

fn returned(result: ExecutionResult, backoff: TimeDelta, kept: Kept) -> Outcome {
    match result {
        ExecutionResult::Done => Outcome::complete(kept.is_some()),
        ExecutionResult::DoneWith { output } => {
            kept.map_or(Outcome::complete(false), |most| complete_with(output, most))
        }
        ExecutionResult::Cancel { reason } => Outcome::cancel(validate::text(&reason.to_string())),
        ExecutionResult::Snooze { delay } => Outcome::snooze(validate::clamp(delay).max(MIN_SNOOZE)),
        ExecutionResult::Error { error } => failed(&*error, backoff),
    }
}

fn complete_with(output: EncodedOutput, most: usize) -> Outcome {
    let json = output.into_json().map_err(|error| format!("the output does not encode as JSON: {error}"));
    match json.and_then(|json| validate::output(&json, most).map(|()| json)) {
        Ok(json) => Outcome::complete_with(json),
        // Another attempt would have the same effects once more, and give the same.
        Err(problem) => Outcome::discard(Failure::new(ErrorType::Output, validate::text(&problem))),
    }
}

fn failed(error: &dyn ExecutionError, backoff: TimeDelta) -> Outcome {
    let error_type = ErrorType::from(validate::text(error.error_type()));
    let details = error.to_string();
    match error.disposition() {
        Disposition::Retry => fail(error_type, &details, backoff),
        Disposition::RetryAfter(delay) => fail(error_type, &details, delay),
        Disposition::Throttle(delay) => Outcome::throttle(validate::clamp(delay).max(MIN_SNOOZE)),
        Disposition::Discard => Outcome::discard(Failure::new(error_type, validate::text(&details))),
        Disposition::Cancel => Outcome::cancel(validate::text(&details)),
        Disposition::Skip => Outcome::skip(validate::text(&details)),
    }
}

pub(super) fn fail(error_type: ErrorType, details: &str, delay: TimeDelta) -> Outcome {
    Outcome::retry(validate::clamp(delay), Failure::new(error_type, validate::text(details)))
}
