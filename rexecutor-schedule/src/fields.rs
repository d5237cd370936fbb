//! The local times that an expression matches, found field by field.
//!
//! The `cron` crate reads expressions; its iteration is not used: it goes wrong around changes of clocks, and takes much
//! longer than the tick that it finds.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use cron::TimeUnitSpec;

/// Which values each field matches: a bit each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Sunday is 1.
    weekdays: u64,
    /// The first and the last one.
    years: (i32, i32),
    /// Whether some of the years between are left out; they are looked up then.
    has_gaps: bool,
}

impl Fields {
    pub(crate) fn of(cron: &cron::Schedule) -> Self {
        let years = cron.years();
        let listed: Vec<i32> = years.iter().filter_map(|year| i32::try_from(year).ok()).collect();
        let (first, last) = (listed.first().copied().unwrap_or(i32::MAX), listed.last().copied().unwrap_or(i32::MIN));
        Self {
            seconds: mask(cron.seconds()),
            minutes: mask(cron.minutes()),
            hours: mask(cron.hours()),
            days: mask(cron.days_of_month()),
            months: mask(cron.months()),
            weekdays: mask(cron.days_of_week()),
            years: (first, last),
            has_gaps: usize::try_from(last.saturating_sub(first)).is_ok_and(|span| span >= listed.len()),
        }
    }

    /// Whether every hour matches.
    pub(crate) fn is_hourly(&self) -> bool {
        self.hours.count_ones() == 24
    }

    /// The first local time after `time` that matches.
    pub(crate) fn after(&self, cron: &cron::Schedule, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let from = time.with_nanosecond(0)?.checked_add_signed(TimeDelta::seconds(1))?;
        if self.matches(cron, from.date())
            && let Some(found) = self.time_from(from.time())
        {
            return Some(from.date().and_time(found));
        }
        let date = self.date_from(cron, from.date().succ_opt()?)?;
        Some(date.and_time(self.time_from(NaiveTime::MIN)?))
    }

    /// The first day from `date` on that matches.
    fn date_from(&self, cron: &cron::Schedule, date: NaiveDate) -> Option<NaiveDate> {
        let first_year = NaiveDate::from_ymd_opt(self.years.0, 1, 1)?;
        let mut date = date.max(first_year);
        while date.year() <= self.years.1 {
            if !self.matches_year(cron, date) {
                date = NaiveDate::from_ymd_opt(date.year() + 1, 1, 1)?;
            } else if !has(self.months, date.month()) {
                date = date.with_day(1)?.checked_add_months(chrono::Months::new(1))?;
            } else if self.matches_day(date) {
                return Some(date);
            } else {
                date = date.succ_opt()?;
            }
        }
        None
    }

    fn matches(&self, cron: &cron::Schedule, date: NaiveDate) -> bool {
        has(self.months, date.month()) && self.matches_day(date) && self.matches_year(cron, date)
    }

    fn matches_year(&self, cron: &cron::Schedule, date: NaiveDate) -> bool {
        let year = date.year();
        let is_listed = || u32::try_from(year).is_ok_and(|year| cron.years().includes(year));
        (self.years.0..=self.years.1).contains(&year) && (!self.has_gaps || is_listed())
    }

    fn matches_day(&self, date: NaiveDate) -> bool {
        has(self.days, date.day()) && has(self.weekdays, date.weekday().number_from_sunday())
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

fn mask(field: &impl TimeUnitSpec) -> u64 {
    field.iter().fold(0, |mask, value| mask | 1 << value.min(63))
}

fn has(mask: u64, value: u32) -> bool {
    mask & (1 << value) != 0
}

/// The first value from `value` on.
fn from(mask: u64, value: u32) -> Option<u32> {
    let left = mask >> value;
    (left != 0).then(|| value + left.trailing_zeros())
}
