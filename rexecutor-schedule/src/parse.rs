//! Reading cron expressions and time zones from text.

use crate::{
    cron_schedule::Schedule,
    explain::explain,
    time_zone::{TimeZone, UnknownTimeZone},
};

/// Text that is no schedule.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The `cron` crate cannot read it.
    #[error("`{0}` is no cron expression")]
    Expression(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// A field of it is wrong, or there are too few or too many.
    #[error("`{0}` is no cron expression: {1}")]
    Field(String, String),
    /// It has five fields, as Unix cron takes; the first of six is seconds.
    #[error("`{0}` has five fields, and the first of six is seconds: write `0 {0}`")]
    FiveFields(String),
    /// It is longer than any expression needs to be, or holds a number that no field has.
    #[error("`{0}` is no cron expression: at most 200 characters and four digits a number")]
    Excessive(String),
    /// There is no such time zone.
    #[error(transparent)]
    Timezone(#[from] UnknownTimeZone),
}

crate::sentence::debug_as_sentence!(ScheduleError);

impl Schedule {
    /// Reads a six- or seven-field cron expression, or `@daily` and its like, in a time zone of the IANA database.
    ///
    /// # Errors
    ///
    /// When either cannot be read.
    pub fn parse(expression: &str, timezone: &str) -> Result<Self, ScheduleError> {
        let shown = || expression.chars().take(80).collect::<String>();
        // The cron crate writes out every number of a range before it looks at the limits of the field.
        let has_long_number = expression.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 4);
        if expression.len() > 200 || has_long_number {
            return Err(ScheduleError::Excessive(shown()));
        }
        if !expression.starts_with('@') && expression.split_whitespace().count() == 5 {
            return Err(ScheduleError::FiveFields(shown()));
        }
        let unreadable = |error: cron::error::Error| match explain(expression).filter(|_| !expression.starts_with('@'))
        {
            Some(problem) => ScheduleError::Field(shown(), problem),
            None => ScheduleError::Expression(shown(), error.into()),
        };
        let cron = expression.parse().map_err(unreadable)?;
        Ok(Self::new(cron, timezone.parse::<TimeZone>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, timezone: &str, message: &str) {
        let error = Schedule::parse(expression, timezone).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        check("0 0 * * *", "UTC", "write `0 0 0 * * *`");
        check("@dialy", "UTC", "`@dialy` is no cron expression");
        check("0 0 0 * * *", "Europe/Lundon", "`Europe/Lundon` is no time zone");
    }

    #[test]
    fn case_09_a_field_that_is_wrong_is_named_with_its_range() {
        check("0 61 2 * * *", "UTC", "`61` cannot stand in the second field, minutes, which go from 0 to 59");
        check("0 0 24 * * *", "UTC", "`24` cannot stand in the third field, hours, which go from 0 to 23");
        check("0 0 0 0 * *", "UTC", "`0` cannot stand in the fourth field, days, which go from 1 to 31");
        check("0 0 0 1 13 *", "UTC", "`13` cannot stand in the fifth field, months");
        check("0 0 9 * * FRI#2", "UTC", "write `0 0 9 8-14 * FRI`");
        check("0 0", "UTC", "it has 2 fields, and six are expected");
    }

    #[test]
    fn case_09_an_abbreviation_is_no_time_zone_and_its_place_is_named() {
        check("@daily", "BST", "`BST` is no time zone; did you mean `Europe/London`?");
        check("@daily", "Nowhere", "write a name of the IANA database, as `Europe/London`");
    }

    /// Trap 21: a huge range eats the memory while parsing.
    #[test]
    fn trap_21_a_huge_range_is_refused_before_it_is_written_out() {
        check("1--100000000 * * * * *", "UTC", "four digits");
        check("0-4294967295 * * * * *", "UTC", "four digits");
        check(&"1,".repeat(10_000), "UTC", "200 characters");
    }
}
