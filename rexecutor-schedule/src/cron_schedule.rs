//! A cron expression in a time zone.

use crate::{fields::Fields, memo::Memo, time_zone::TimeZone};

/// A cron expression in a time zone.
///
/// The `cron` crate reads expressions; numeric days of the week count from
/// 1 = Sunday there, so write `MON-FRI`, not `1-5`. The instant of a local time is found here:
///
/// - A local time that is skipped when clocks go forward is due once, at the moment of the change.
/// - A local time that happens twice when clocks go back is due the first time only, unless the expression matches every
///   hour: then it is due both times.
///
/// # Examples
///
/// ```
/// use rexecutor_schedule::Schedule;
///
/// let nightly = Schedule::parse("0 30 1 * * *", "Europe/London")?;
/// let noon = "2030-03-30T12:00:00Z".parse().expect("a valid instant");
/// let next = nightly.next_after(noon).expect("it has another tick");
/// // The clocks go from 01:00 to 02:00 that night: 01:30 does not exist.
/// assert_eq!(next.to_rfc3339(), "2030-03-31T01:00:00+00:00");
/// # Ok::<(), rexecutor_schedule::ScheduleError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Schedule {
    pub(crate) cron: cron::Schedule,
    pub(crate) timezone: TimeZone,
    pub(crate) fields: Fields,
    pub(crate) memo: Memo,
}

impl Schedule {
    /// A schedule that the `cron` crate has read.
    pub fn new(cron: cron::Schedule, timezone: impl Into<TimeZone>) -> Self {
        let fields = Fields::of(&cron);
        Self { cron, timezone: timezone.into(), fields, memo: Memo::default() }
    }

    /// The cron expression.
    pub fn expression(&self) -> &str {
        self.cron.source()
    }

    /// The time zone.
    pub fn timezone(&self) -> TimeZone {
        self.timezone
    }
}
