//! What a cron expression says, and the local times that it matches, found field by field.
//!
//! The `cron` crate's own iteration is not used for expressions that it has read, either: it goes wrong around changes of
//! clocks, and takes much longer than the tick that it finds.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use cron::TimeUnitSpec;

use crate::{days::Days, years::Years};

/// What a cron expression says.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    /// As it was written.
    pub(crate) source: String,
    // Which values each field matches: a bit each.
    pub(crate) seconds: u64,
    pub(crate) minutes: u64,
    pub(crate) hours: u64,
    pub(crate) days: Days,
    pub(crate) months: u64,
    pub(crate) years: Years,
    /// The last of the years, found once.
    pub(crate) last_year: i32,
}

impl Expression {
    /// Whether every hour matches.
    pub(crate) fn is_hourly(&self) -> bool {
        self.hours.count_ones() == 24
    }

    /// The first local time after `time` that matches.
    pub(crate) fn after(&self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let from = time.with_nanosecond(0)?.checked_add_signed(TimeDelta::seconds(1))?;
        if self.matches_date(from.date())
            && let Some(found) = self.time_from(from.time())
        {
            return Some(from.date().and_time(found));
        }
        let date = self.date_from(from.date().succ_opt()?)?;
        Some(date.and_time(self.time_from(NaiveTime::MIN)?))
    }

    /// The first day from `date` on that matches.
    fn date_from(&self, date: NaiveDate) -> Option<NaiveDate> {
        let mut date = date.max(NaiveDate::from_ymd_opt(self.years.first()?, 1, 1)?);
        while date.year() <= self.last_year {
            if !self.years.contains(date.year()) {
                date = NaiveDate::from_ymd_opt(date.year() + 1, 1, 1)?;
            } else if !has(self.months, date.month()) {
                date = date.with_day(1)?.checked_add_months(chrono::Months::new(1))?;
            } else if self.days.matches(date) {
                return Some(date);
            } else {
                date = date.succ_opt()?;
            }
        }
        None
    }

    pub(crate) fn matches_date(&self, date: NaiveDate) -> bool {
        has(self.months, date.month()) && self.days.matches(date) && self.years.contains(date.year())
    }

    /// The first time of a day that is not before `time`.
    fn time_from(&self, time: NaiveTime) -> Option<NaiveTime> {
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        let (first_minute, first_second) = (from(self.minutes, 0)?, from(self.seconds, 0)?);
        if has(self.hours, hour) {
            let later = || from(self.minutes, minute + 1).map(|minute| (minute, first_second));
            let same = from(self.seconds, second).filter(|_| has(self.minutes, minute)).map(|second| (minute, second));
            if let Some((minute, second)) = same.or_else(later) {
                return NaiveTime::from_hms_opt(hour, minute, second);
            }
        }
        NaiveTime::from_hms_opt(from(self.hours, hour + 1)?, first_minute, first_second)
    }
}

/// An expression that the `cron` crate has read: what it accepts, and as it means it.
impl From<&cron::Schedule> for Expression {
    fn from(cron: &cron::Schedule) -> Self {
        let years: Years = cron.years().iter().collect();
        Self {
            source: cron.source().to_owned(),
            seconds: mask(cron.seconds()),
            minutes: mask(cron.minutes()),
            hours: mask(cron.hours()),
            days: Days::plain(mask(cron.days_of_month()), mask(cron.days_of_week())),
            months: mask(cron.months()),
            last_year: years.last().unwrap_or(i32::MIN),
            years,
        }
    }
}

fn mask(field: &impl TimeUnitSpec) -> u64 {
    field.iter().fold(0, |mask, value| mask | 1 << value.min(63))
}

pub(crate) fn has(mask: u64, value: u32) -> bool {
    mask & (1 << value) != 0
}

/// The first value from `value` on.
fn from(mask: u64, value: u32) -> Option<u32> {
    let left = mask >> value;
    (left != 0).then(|| value + left.trailing_zeros())
}
