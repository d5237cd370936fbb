//! Sums of times that stay within what can be stored.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// `now` + `delay`, at the latest the end of the year 9999 and never before `now`.
pub(crate) fn after(now: DateTime<Utc>, delay: TimeDelta) -> DateTime<Utc> {
    let latest = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
    now.checked_add_signed(delay.max(TimeDelta::zero())).unwrap_or(latest).min(latest).max(now)
}

/// `now` - `age`, at the latest the last instant that there is, and at the earliest the first.
pub fn ago(now: DateTime<Utc>, age: TimeDelta) -> DateTime<Utc> {
    let limit = if age < TimeDelta::zero() { DateTime::<Utc>::MAX_UTC } else { DateTime::<Utc>::MIN_UTC };
    now.checked_sub_signed(age).unwrap_or(limit)
}
