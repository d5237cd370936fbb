//! Reading cron expressions and time zones from text.
//!
//! `#[job]` reads an expression with this while compiling, and a program when it starts: what one of them refuses, the other
//! does, too.

use std::time::Duration;

use chrono::DateTime;

use crate::{
    crontab,
    days::{Days, Joined},
    expression::Expression,
    field::{DAYS_OF_MONTH, Field, HOURS, MINUTES, MONTHS_OF_YEAR, SECONDS, WEEKDAYS, YEARS},
    interval::Interval,
    rules,
    schedule::{Rule, Schedule},
    time_zone::{TimeZone, UnknownTimeZone},
    years::Years,
};

/// Text that is no schedule.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It is no cron expression, can be read in two ways, or never comes: what is wrong, and what to write instead.
    #[error("{0}")]
    Expression(String),
    /// There is no such time zone.
    #[error(transparent)]
    Timezone(#[from] UnknownTimeZone),
    /// Its start or its end is no date, or there is no tick between them.
    #[error("{0}")]
    Dates(String),
    /// Its jitter is longer than an hour.
    #[error("the jitter is {0:?}; the most is an hour")]
    Jitter(Duration),
}

crate::sentence::debug_as_sentence!(ScheduleError);

impl Schedule {
    /// Reads a six- or seven-field cron expression, or `@daily`, `@every 90s` and their like, in a time zone of the IANA database.
    ///
    /// # Errors
    ///
    /// When either cannot be read, when the expression can be understood in two ways, and when no date matches it. The error says
    /// what to write.
    ///
    /// # Examples
    ///
    /// ```
    /// # mod rexecutor { pub use rexecutor_schedule as schedule; }
    /// use rexecutor::schedule::Schedule;
    ///
    /// let error = Schedule::parse("0 0 0 31 * *", "UTC").err().expect("five months have no 31st");
    /// assert!(error.to_string().contains("for the last day of every month write `0 0 0 L * *`"));
    /// ```
    pub fn parse(expression: &str, timezone: &str) -> Result<Self, ScheduleError> {
        let rule = rule(expression).map_err(ScheduleError::Expression)?;
        Ok(Self::of(rule, timezone.parse::<TimeZone>()?))
    }
}

/// The fields of an expression, as they are written.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) seconds: Field,
    pub(crate) minutes: Field,
    pub(crate) hours: Field,
    pub(crate) days: Field,
    pub(crate) months: Field,
    pub(crate) weekdays: Field,
    /// What stands before the weekdays.
    pub(crate) joined: Option<Joined>,
    pub(crate) years: Option<Field>,
}

/// The shorthands, and what they stand for.
const SHORTHANDS: [(&str, &str); 5] = [
    ("@yearly", "0 0 0 1 1 *"),
    ("@monthly", "0 0 0 1 * *"),
    ("@weekly", "0 0 0 * * SUN"),
    ("@daily", "0 0 0 * * *"),
    ("@hourly", "0 0 * * * *"),
];

/// What is wrong with an expression of a program that is compiled now; `None` if nothing is.
pub fn problem(text: &str) -> Option<String> {
    // What compiles must not depend on the day. But what was past when this was written was never meant.
    let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default().naive_utc();
    match rule(text) {
        Ok(Rule::Cron(expression)) => expression.after(start).is_none().then(|| never(text)),
        Ok(Rule::Every(_)) => None,
        Err(problem) => Some(problem),
    }
}

/// Reads an expression or an interval; else says what is wrong with it, and what to write.
pub(crate) fn rule(text: &str) -> Result<Rule, String> {
    match Interval::read(text) {
        Some(interval) => interval.map(Rule::Every),
        None => read(text).map(|expression| Rule::Cron(Box::new(expression))),
    }
}

fn never(text: &str) -> String {
    format!("`{text}` never comes: no date to come matches it")
}

/// Reads an expression; else says what is wrong with it, and what to write.
pub(crate) fn read(text: &str) -> Result<Expression, String> {
    // No expression needs to be longer, and messages that quote one stay readable.
    let has_long_number = text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 4);
    if text.len() > 200 || has_long_number {
        return Err("a cron expression has at most 200 characters, and four digits a number".to_owned());
    }
    let long = match SHORTHANDS.iter().find(|(short, _)| *short == text.trim()) {
        Some((_, long)) => long,
        None if text.trim_start().starts_with('@') => {
            return Err(format!(
                "`{text}` is not a cron expression; expected @yearly, @monthly, @weekly, @daily, @hourly or @every 90s"
            ));
        }
        None => text,
    };
    let words: Vec<&str> = long.split_whitespace().collect();
    if let [minute, hour, day, month, weekday] = words.as_slice() {
        return Err(crontab::translated(text, [minute, hour, day, month, weekday]));
    }
    let fields = split(&words).map_err(|problem| format!("`{text}` is not a cron expression: {problem}"))?;
    if let Some(problem) = rules::problem(&words, &fields) {
        return Err(format!("`{text}` {problem}"));
    }
    let expression = Expression { source: text.to_owned(), ..fields.expression() };
    let before_all = DateTime::from_timestamp(-1, 0).unwrap_or_default().naive_utc();
    expression.after(before_all).is_some().then_some(expression).ok_or_else(|| never(text))
}

/// Reads six or seven fields.
pub(crate) fn split(words: &[&str]) -> Result<Fields, String> {
    let [second, minute, hour, day, month, weekday, years @ ..] = words else { return Err(count(words.len())) };
    if years.len() > 1 {
        return Err(count(words.len()));
    }
    let (joined, weekday) = match weekday.split_at_checked(1) {
        Some(("&", rest)) => (Some(Joined::Both), rest),
        Some(("|", rest)) => (Some(Joined::Either), rest),
        _ => (None, *weekday),
    };
    if let Some(problem) = crontab::numbered_weekdays(weekday) {
        return Err(problem);
    }
    Ok(Fields {
        seconds: SECONDS.parse(second)?,
        minutes: MINUTES.parse(minute)?,
        hours: HOURS.parse(hour)?,
        days: DAYS_OF_MONTH.parse(day)?,
        months: MONTHS_OF_YEAR.parse(month)?,
        weekdays: WEEKDAYS.parse(weekday)?,
        joined,
        years: years.first().map(|years| YEARS.parse(years)).transpose()?,
    })
}

fn count(count: usize) -> String {
    let fields = if count == 1 { "field" } else { "fields" };
    format!(
        "it has {count} {fields}, and six are expected: seconds, minutes, hours, days, months, weekdays, and a seventh if it is for \
         some years"
    )
}

impl Fields {
    /// What they say.
    pub(crate) fn expression(&self) -> Expression {
        let years = match &self.years {
            Some(years) => Years::of(years),
            None => (YEARS.least..=YEARS.most).collect(),
        };
        Expression {
            source: String::new(),
            seconds: self.seconds.mask(),
            minutes: self.minutes.mask(),
            hours: self.hours.mask(),
            days: Days::of(&self.days, &self.weekdays, self.joined.unwrap_or(Joined::Both)),
            months: self.months.mask(),
            last_year: years.last().unwrap_or(i32::MIN),
            years,
        }
    }
}
