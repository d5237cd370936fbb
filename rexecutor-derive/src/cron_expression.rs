//! What a cron expression must be, told at compile time.

use chrono::DateTime;
use syn::LitStr;

use crate::nearest::nearest;

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
            is_never.then(|| format!("`{text}` never comes: no date matches it"))
        }
        Err(_) if text.starts_with('@') => {
            Some(format!("`{text}` is not a cron expression; expected @yearly, @monthly, @weekly, @daily or @hourly"))
        }
        Err(error) => Some(format!(
            "`{text}` is not a cron expression ({}); the fields are seconds, minutes, hours, days, months, weekdays \
             and, if wanted, years",
            error.to_string().lines().next().unwrap_or_default().trim_end_matches('.')
        )),
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
    let meant = nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
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
        check("", "is not a cron expression");
    }

    /// Trap 21: a huge range eats the memory while parsing.
    #[test]
    fn trap_21_a_huge_range_is_refused_before_it_is_written_out() {
        check("1--100000000 * * * * *", "four digits");
    }
}
