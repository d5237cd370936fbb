//! From when on, and until when, a schedule ticks.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use crate::{parse::ScheduleError, schedule::Schedule, time_zone::TimeZone};

/// The first and the last instant at which a schedule may tick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dates {
    pub(crate) start: Option<DateTime<Utc>>,
    pub(crate) end: Option<DateTime<Utc>>,
}

impl Schedule {
    /// Ticks from this instant on, and not before. The default is always.
    #[must_use]
    pub fn with_start(mut self, start: DateTime<Utc>) -> Self {
        self.dates.start = Some(start);
        self.memo = Default::default();
        self
    }

    /// Ticks until this instant, at the latest then. The default is for ever.
    #[must_use]
    pub fn with_end(mut self, end: DateTime<Utc>) -> Self {
        self.dates.end = Some(end);
        self.memo = Default::default();
        self
    }

    /// The first instant at which it may tick; `None`: any.
    pub fn start(&self) -> Option<DateTime<Utc>> {
        self.dates.start
    }

    /// The last instant at which it may tick; `None`: any.
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.dates.end
    }

    /// Ticks from a day on, `2027-01-01`, or from a time of it, `2027-01-01T09:30`, in the schedule's time zone.
    ///
    /// # Errors
    ///
    /// When the text is no day, and when the schedule has no tick between its start and its end.
    ///
    /// # Examples
    ///
    /// ```
    /// # mod rexecutor { pub use rexecutor_schedule as schedule; }
    /// use rexecutor::schedule::Schedule;
    ///
    /// let advent = Schedule::parse("0 0 9 * * *", "Europe/Berlin")?.start_on("2030-12-01")?.end_on("2030-12-24")?;
    /// let summer = "2030-07-01T00:00:00Z".parse().expect("a valid instant");
    /// assert_eq!(advent.ticks_after(summer).count(), 24);
    /// # Ok::<(), rexecutor::schedule::ScheduleError>(())
    /// ```
    pub fn start_on(self, text: &str) -> Result<Self, ScheduleError> {
        let start = instant(self.timezone, text, NaiveTime::MIN)?;
        self.with_start(start).if_it_ticks()
    }

    /// Ticks until the end of a day, `2027-06-30`, or until a time of it, `2027-06-30T17:00`, in the schedule's time zone.
    ///
    /// # Errors
    ///
    /// As [`start_on`](Self::start_on).
    pub fn end_on(self, text: &str) -> Result<Self, ScheduleError> {
        let last = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or(NaiveTime::MIN);
        let end = instant(self.timezone, text, last)?;
        self.with_end(end).if_it_ticks()
    }

    fn if_it_ticks(self) -> Result<Self, ScheduleError> {
        let before = self.dates.start.unwrap_or(DateTime::UNIX_EPOCH) - TimeDelta::seconds(1);
        match self.next_after(before) {
            Some(_) => Ok(self),
            None => {
                Err(ScheduleError::Dates(format!("`{}` has no tick between its start and its end", self.expression())))
            }
        }
    }
}

fn instant(zone: TimeZone, text: &str, time_of_day: NaiveTime) -> Result<DateTime<Utc>, ScheduleError> {
    let day = || Some(text.parse::<NaiveDate>().ok().filter(|_| text.len() == 10)?.and_time(time_of_day));
    let time = || {
        let forms = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
        forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    };
    let local = day().or_else(time).ok_or_else(|| {
        ScheduleError::Dates(format!(
            "`{text}` is not a date; write a day, as `2027-01-31`, or a time of it, as `2027-01-31T09:30`"
        ))
    })?;
    Ok(zone.first_instant(local).unwrap_or_else(|| zone.change_before(local)))
}
