//! What a cron expression must be, told at compile time.

use chrono::DateTime;
use rexecutor_schedule::{explain, meant, nearest};
use syn::LitStr;

/// Numbers count from 0 = Sunday in Unix cron.
const DAYS: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// Checks an expression with the very parser that will read it.
pub(crate) fn check_expression(literal: &LitStr) -> syn::Result<()> {
    let text = literal.value();
    problem(&text).map_or(Ok(()), |problem| Err(syn::Error::new_spanned(literal, problem)))
}

fn problem(text: &str) -> Option<String> {
    // The parser writes out every number of a range before it looks at the limits of the field.
    let has_long_number = text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 4);
    if text.len() > 200 || has_long_number {
        return Some("a cron expression has at most 200 characters, and four digits a number".to_owned());
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if !text.starts_with('@') {
        if fields.get(5).is_some_and(|weekday| weekday.contains('#'))
            && let Some(problem) = explain(text)
        {
            return Some(format!("`{text}` is not a cron expression: {problem}"));
        }
        match fields.as_slice() {
            [minute, hour, day, month, weekday] => {
                let weekday = named_days(weekday, 0);
                return Some(format!(
                    "a cron expression has six fields, the first of them seconds, and this has five; write \
                     `0 {minute} {hour} {day} {month} {weekday}`"
                ));
            }
            [_, _, _, _, _, weekday, ..] if has_number(weekday) => {
                return Some(format!(
                    "numbers of weekdays count from 1 = Sunday here and from 0 = Sunday in Unix cron, so `{weekday}` could be \
                     `{}` or `{}`; write the one that you mean",
                    named_days(weekday, 1),
                    named_days(weekday, 0),
                ));
            }
            _ => {}
        }
    }
    match text.parse::<cron::Schedule>() {
        Ok(schedule) => {
            let start = DateTime::from_timestamp(1_700_000_000, 0)?;
            let is_never = schedule.after(&start).next().is_none();
            is_never.then(|| format!("`{text}` never comes: no date to come matches it"))
        }
        Err(_) if text.starts_with('@') => {
            Some(format!("`{text}` is not a cron expression; expected @yearly, @monthly, @weekly, @daily or @hourly"))
        }
        Err(_) => {
            let problem = explain(text).unwrap_or_else(|| {
                "the fields are seconds, minutes, hours, days, months, weekdays and, if wanted, years".to_owned()
            });
            Some(format!("`{text}` is not a cron expression: {problem}"))
        }
    }
}

/// Whether a field of weekdays names one by number; the step of `*/2` names none.
fn has_number(field: &str) -> bool {
    field.split(',').filter_map(|part| part.split('/').next()).any(|days| days.contains(|c: char| c.is_ascii_digit()))
}

/// A field of weekdays with names for numbers, which count from `first` = Sunday.
fn named_days(field: &str, first: usize) -> String {
    let name = |day: &str| match day.parse::<usize>() {
        Ok(number) => {
            number.checked_sub(first).and_then(|day| DAYS.get(day)).map_or(day.to_owned(), |day| (*day).to_owned())
        }
        Err(_) => day.to_owned(),
    };
    let named = field.split(',').map(|part| {
        let (days, step) = part.split_once('/').map_or((part, None), |(days, step)| (days, Some(step)));
        let days = days.split('-').map(name).collect::<Vec<_>>().join("-");
        step.map_or(days.clone(), |step| format!("{days}/{step}"))
    });
    named.collect::<Vec<_>>().join(",")
}

/// Checks the name of a time zone.
pub(crate) fn check_timezone(literal: &LitStr) -> syn::Result<()> {
    let text = literal.value();
    if text.parse::<chrono_tz::Tz>().is_ok() {
        return Ok(());
    }
    let near = || nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    // A few letters are near to many names: `BST` is to `EST`, and means another continent.
    let meant = meant(&text).or_else(|| near().filter(|_| text.len() > 4));
    let hint = meant.map_or("write a name of the IANA database, as `Europe/London`".to_owned(), |zone| {
        format!("did you mean `{zone}`?")
    });
    Err(syn::Error::new_spanned(literal, format!("`{text}` is not a time zone; {hint}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, words: &str) {
        let problem = problem(text).unwrap_or_default();
        assert!(problem.contains(words), "{problem}");
    }

    #[test]
    fn good_expressions_pass() {
        for good in ["0 0 0 * * *", "0 */5 * * * MON-FRI", "@daily", "0 0 0 1 1 * 2030-2040", "0 0 9 * * */2"] {
            assert_eq!(problem(good), None);
        }
    }

    #[test]
    fn what_was_meant_is_said() {
        check("0 9 * * *", "`0 0 9 * * *`");
        check("0 9 * * 1-5", "`0 0 9 * * MON-FRI`");
        check("0 0 9 * * 1-5", "`SUN-THU` or `MON-FRI`");
        check("0 0 9 * * 2,7/2", "`MON,SAT/2` or `TUE,SUN/2`");
        check("0 0 0 30 2 *", "never comes");
        check("@dialy", "@daily");
        check("0 61 * * * *", "is not a cron expression");
        check("nonsense", "it has 1 field, and six are expected");
        check("", "is not a cron expression");
    }

    #[test]
    fn case_09_a_field_that_is_wrong_is_named_with_its_range() {
        check("0 61 2 * * *", "`61` cannot stand in the second field, minutes, which go from 0 to 59");
        check("0 0 24 * * *", "`24` cannot stand in the third field, hours, which go from 0 to 23");
        check("0 0 0 0 * *", "`0` cannot stand in the fourth field, days, which go from 1 to 31");
        check("0 0 0 1 13 *", "`13` cannot stand in the fifth field, months, which go from 1 to 12, or JAN to DEC");
        check("0 0 0 1 * * 1969", "`1969` cannot stand in the seventh field, years, which go from 1970 to 2100");
        check("0 0 0 * * FRY", "`FRY` cannot stand in the sixth field, weekdays");
        check("0 0 0 L * *", "`L` and `W` are not known here");
        check("0 50-10 * * * *", "a range goes from the smaller to the larger");
        check("0 */0 * * * *", "a step is a number from 1, and this is `0`");
        check("0 1-2-3 * * * *", "a range has two ends");
    }

    #[test]
    fn case_09_the_nth_weekday_of_a_month_is_written_with_days() {
        check("0 0 9 * * FRI#2", "write `0 0 9 8-14 * FRI`");
        check("0 0 9 ? * MON#5 2030", "write `0 0 9 29-31 * MON 2030`");
        check("0 0 9 * * 6#1", "write `0 0 9 1-7 * DAY`");
        check("0 0 9 * * FRI#9", "`#` takes a number from 1 to 5");
        assert_eq!(problem("0 0 9 8-14 * FRI"), None);
    }

    /// Trap 21: a huge range eats the memory while parsing.
    #[test]
    fn trap_21_a_huge_range_is_refused_before_it_is_written_out() {
        check("1--100000000 * * * * *", "four digits");
    }
}
