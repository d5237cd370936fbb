//! What both databases say of a history.

use std::time::Duration;

use rexecutor::backend::HistoryStep;

/// How many rows one call rolls up at most, as its statement says.
pub(crate) const MOST_MOVED: i64 = 5_000;

/// The whole microseconds of a time, which goes back no further than anything is kept.
pub(crate) fn whole_micros(time: Duration) -> i64 {
    let most = HistoryStep::Day.kept().num_microseconds().unwrap_or(i64::MAX);
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX).min(most)
}
