//! Times as they can be stored: whole microseconds, and sums that stay within the years that there are.

use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound, TimeDelta, Utc};

/// The microsecond that an instant lies in: no backend stores more.
pub fn in_micros(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.trunc_subsecs(6)
}

/// The whole microseconds of a time.
pub(crate) fn whole_micros(time: TimeDelta) -> TimeDelta {
    time.num_microseconds().map_or(time, TimeDelta::microseconds)
}

/// `now` + `delay`, at the latest the end of the year 9999 and never before `now`.
pub(crate) fn after(now: DateTime<Utc>, delay: TimeDelta) -> DateTime<Utc> {
    let latest = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
    in_micros(now.checked_add_signed(delay.max(TimeDelta::zero())).unwrap_or(latest).min(latest).max(now))
}

/// `now` - `age`, at the latest the last instant that there is, and at the earliest the first.
pub fn ago(now: DateTime<Utc>, age: TimeDelta) -> DateTime<Utc> {
    let limit = if age < TimeDelta::zero() { DateTime::<Utc>::MAX_UTC } else { DateTime::<Utc>::MIN_UTC };
    now.checked_sub_signed(age).unwrap_or(limit)
}
