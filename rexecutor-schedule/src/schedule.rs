//! When something is due, in a time zone.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};

use crate::{
    dates::Dates, describe, expression::Expression, interval::Interval, memo::Memo, parse::ScheduleError,
    time_zone::TimeZone,
};

/// A cron expression in a time zone, or an interval.
///
/// - A local time that is skipped when clocks go forward is due once, at the moment of the change.
/// - A local time that happens twice when clocks go back is due the first time only, unless the expression matches every
///   hour: then it is due both times.
///
/// # Expressions
///
/// Six fields, and a seventh if it is for some years: seconds, minutes, hours, days of the month, months, weekdays, years. Each is
/// `*`, a value, a range `9-17`, a step `*/15` or `9-17/2`, or a list of these. Months and weekdays have names, weekdays only
/// names: `MON-FRI`.
///
/// | days | are |
/// | --- | --- |
/// | `15` | the 15th |
/// | `L` | the last day of a month |
/// | `15W` | the day from Monday to Friday that is nearest to the 15th, in the same month |
/// | `LW` | the last day of a month from Monday to Friday |
///
/// | weekdays | are |
/// | --- | --- |
/// | `FRI` | every Friday |
/// | `FRI#2` | the second Friday of a month |
/// | `FRIL` | the last Friday of a month |
/// | `13 * &FRI` | with a day of the month: the 13th if it is a Friday |
/// | `13 * \|FRI` | with a day of the month: the 13th and every Friday |
///
/// `@yearly`, `@monthly`, `@weekly`, `@daily` and `@hourly` are short for five of them. `@every 90s` is an interval, of whole
/// seconds up to 366 days. It counts from midnight of a Monday in UTC, whatever the time zone, so that all nodes tick at the same
/// instants, and no restart moves them.
///
/// What can be read in two ways is refused, with a way to write each of them.
///
/// # Examples
///
/// ```
/// # mod rexecutor { pub use rexecutor_schedule as schedule; }
/// use rexecutor::schedule::Schedule;
///
/// let nightly = Schedule::parse("0 30 1 * * *", "Europe/London")?;
/// let noon = "2030-03-30T12:00:00Z".parse().expect("a valid instant");
/// let next = nightly.next_after(noon).expect("it has another tick");
/// // The clocks go from 01:00 to 02:00 that night: 01:30 does not exist.
/// assert_eq!(next.to_rfc3339(), "2030-03-31T01:00:00+00:00");
///
/// let payday = Schedule::parse("0 0 9 LW * *", "America/New_York")?;
/// assert_eq!(payday.describe(), "at 09:00 on the last weekday of every month, New York time");
/// let days: Vec<_> = payday.ticks_after(noon).take(3).map(|tick| tick.date_naive().to_string()).collect();
/// assert_eq!(days, ["2030-04-30", "2030-05-31", "2030-06-28"]);
/// # Ok::<(), rexecutor::schedule::ScheduleError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Schedule {
    pub(crate) rule: Rule,
    pub(crate) timezone: TimeZone,
    pub(crate) dates: Dates,
    jitter: Duration,
    /// Whether the `cron` crate has read the expression.
    is_of_cron_crate: bool,
    pub(crate) memo: Memo,
}

/// When it is due.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    Cron(Box<Expression>),
    Every(Interval),
}

impl Schedule {
    /// A schedule that the `cron` crate has read. It is taken as that crate means it: where a day of the month and a weekday are
    /// given, both have to match.
    pub fn new(cron: cron::Schedule, timezone: impl Into<TimeZone>) -> Self {
        let schedule = Self::of(Rule::Cron(Box::new(Expression::from(&cron))), timezone.into());
        Self { is_of_cron_crate: true, ..schedule }
    }

    pub(crate) fn of(rule: Rule, timezone: TimeZone) -> Self {
        Self {
            rule,
            timezone,
            dates: Dates::default(),
            jitter: Duration::ZERO,
            is_of_cron_crate: false,
            memo: Memo::default(),
        }
    }

    /// Lets the jobs of each tick start up to so much later, so that those of many schedules do not start together. The default is
    /// zero, and the most an hour.
    ///
    /// How much later it is follows from the job and its schedule: it is the same on all nodes, and at every tick. The tick itself
    /// stays where it is.
    ///
    /// # Errors
    ///
    /// When it is longer than an hour.
    pub fn with_jitter(mut self, jitter: Duration) -> Result<Self, ScheduleError> {
        if jitter > MAX_JITTER {
            return Err(ScheduleError::Jitter(jitter));
        }
        self.jitter = jitter;
        Ok(self)
    }

    /// How much later than a tick its job may start.
    pub fn jitter(&self) -> Duration {
        self.jitter
    }

    /// The cron expression, or `@every` with the interval.
    pub fn expression(&self) -> &str {
        match &self.rule {
            Rule::Cron(expression) => &expression.source,
            Rule::Every(interval) => &interval.source,
        }
    }

    /// Whether it was made with [`new`](Self::new): its expression is read as the `cron` crate means it. Not public API.
    #[doc(hidden)]
    pub fn is_of_cron_crate(&self) -> bool {
        self.is_of_cron_crate
    }

    /// The time zone.
    pub fn timezone(&self) -> TimeZone {
        self.timezone
    }

    /// When it is due, in words: `at 09:30 on weekdays, Berlin time`.
    pub fn describe(&self) -> String {
        let mut words = match &self.rule {
            Rule::Cron(expression) => format!("{}, {}", describe::expression(expression), self.timezone.described()),
            Rule::Every(interval) => format!("every {}", describe::duration(interval.seconds.unsigned_abs())),
        };
        let shown = |at: DateTime<Utc>| self.timezone.local(at).format("%Y-%m-%d %H:%M").to_string();
        for (word, instant) in [("from", self.dates.start), ("until", self.dates.end)] {
            words.extend(instant.map(|instant| format!(", {word} {}", shown(instant))));
        }
        if !self.jitter.is_zero() {
            words += &format!(", up to {:?} later", self.jitter);
        }
        words
    }

    /// The ticks after `after`, in order.
    pub fn ticks_after(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        let mut last = Some(after);
        std::iter::from_fn(move || {
            last = self.next_after(last?);
            last
        })
    }
}

/// The longest that a job may start after its tick.
const MAX_JITTER: Duration = Duration::from_secs(3_600);

/// The expression and the time zone.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.expression(), self.timezone)
    }
}
