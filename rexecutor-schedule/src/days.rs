//! Which days a cron expression matches.

use chrono::{Datelike, NaiveDate, Weekday};

use crate::field::{Field, Kind};

/// Which days match, by their place in the month and by their weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    /// Numbers in the month, a bit each.
    pub(crate) numbers: u64,
    /// `L`
    pub(crate) last: bool,
    /// `LW`
    pub(crate) last_workday: bool,
    /// `15W`, a bit for each number.
    pub(crate) nearest: u64,
    /// A bit each. Sunday is 1.
    pub(crate) weekdays: u64,
    /// `FRI#2`: for each weekday, from Sunday on, a bit for each number.
    pub(crate) nth: [u8; 7],
    /// `FRIL`, a bit for each weekday. Sunday is 1.
    pub(crate) last_of: u64,
    pub(crate) joined: Joined,
}

/// How the two fields of a day go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// A day has to match both of them. One that was not given is matched by every day.
    Both,
    /// A day has to match one of them.
    Either,
}

pub(crate) const ALL_NUMBERS: u64 = 0xffff_fffe;
pub(crate) const ALL_WEEKDAYS: u64 = 0b1111_1110;

impl Days {
    pub(crate) fn of(days: &Field, weekdays: &Field, joined: Joined) -> Self {
        let mut all = Self::plain(days.mask(), weekdays.mask());
        all.joined = joined;
        for item in days.items.iter().chain(&weekdays.items) {
            match item.kind {
                Kind::LastDay => all.last = true,
                Kind::LastWorkday => all.last_workday = true,
                Kind::NearestWorkday(day) => all.nearest |= 1 << day,
                Kind::Nth(day, nth) => {
                    let nths = usize::try_from(day - 1).ok().and_then(|day| all.nth.get_mut(day));
                    nths.into_iter().for_each(|nths| *nths |= 1 << nth);
                }
                Kind::LastOf(day) => all.last_of |= 1 << day,
                Kind::All | Kind::One(_) | Kind::Range(..) => {}
            }
        }
        all
    }

    /// Days by their numbers and weekdays alone, which both have to match.
    pub(crate) fn plain(numbers: u64, weekdays: u64) -> Self {
        Self {
            numbers,
            last: false,
            last_workday: false,
            nearest: 0,
            weekdays,
            nth: [0; 7],
            last_of: 0,
            joined: Joined::Both,
        }
    }

    /// Whether the month's days are given, so that some are left out.
    pub(crate) fn has_days(&self) -> bool {
        self.numbers != ALL_NUMBERS
    }

    /// Whether weekdays are given, so that some are left out.
    pub(crate) fn has_weekdays(&self) -> bool {
        self.weekdays != ALL_WEEKDAYS
    }

    pub(crate) fn matches(&self, date: NaiveDate) -> bool {
        match self.joined {
            Joined::Both => self.matches_day(date) && self.matches_weekday(date),
            Joined::Either => self.matches_day(date) || self.matches_weekday(date),
        }
    }

    fn matches_day(&self, date: NaiveDate) -> bool {
        let day = date.day();
        self.numbers & (1 << day) != 0
            || (self.last && day == length(date))
            || (self.last_workday && is_nearest(date, length(date)))
            || (self.nearest != 0 && (1..=length(date)).any(|to| self.nearest & (1 << to) != 0 && is_nearest(date, to)))
    }

    fn matches_weekday(&self, date: NaiveDate) -> bool {
        let (weekday, nth) = (date.weekday().number_from_sunday(), (date.day() - 1) / 7 + 1);
        let nths = usize::try_from(weekday - 1).ok().and_then(|weekday| self.nth.get(weekday));
        self.weekdays & (1 << weekday) != 0
            || nths.is_some_and(|nths| nths & (1 << nth) != 0)
            || (self.last_of & (1 << weekday) != 0 && date.day() + 7 > length(date))
    }
}

/// How many days the month of a date has.
pub(crate) fn length(date: NaiveDate) -> u32 {
    u32::from(date.num_days_in_month())
}

/// Whether a date is the day from Monday to Friday that is nearest to a day of its month, in the same month.
fn is_nearest(date: NaiveDate, to: u32) -> bool {
    let Some(day) = date.with_day(to) else { return false };
    let nearest = match day.weekday() {
        Weekday::Sat if to == 1 => to + 2,
        Weekday::Sat => to - 1,
        Weekday::Sun if to == length(date) => to - 2,
        Weekday::Sun => to + 1,
        _ => to,
    };
    date.day() == nearest
}
