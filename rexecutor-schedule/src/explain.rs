//! Which field of a cron expression is wrong, and what it may be.
//!
//! The `cron` crate says that it cannot read an expression, and no more. This looks at one that it has refused.

/// What one field may be.
struct Field {
    position: &'static str,
    name: &'static str,
    least: u32,
    most: u32,
    /// Its values by name, the first of them the least. Three letters are enough.
    words: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];
const DAYS: &[&str] = &["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

const FIELDS: [Field; 7] = [
    Field { position: "first", name: "seconds", least: 0, most: 59, words: &[] },
    Field { position: "second", name: "minutes", least: 0, most: 59, words: &[] },
    Field { position: "third", name: "hours", least: 0, most: 23, words: &[] },
    Field { position: "fourth", name: "days", least: 1, most: 31, words: &[] },
    Field { position: "fifth", name: "months", least: 1, most: 12, words: MONTHS },
    Field { position: "sixth", name: "weekdays", least: 1, most: 7, words: DAYS },
    Field { position: "seventh", name: "years", least: 1970, most: 2100, words: &[] },
];

/// What is wrong with an expression that the parser has refused; `None` if that is not to be seen.
pub fn explain(expression: &str) -> Option<String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if let Some(problem) = nth_weekday(&fields) {
        return Some(problem);
    }
    if !(6..=7).contains(&fields.len()) {
        let count = fields.len();
        return Some(format!(
            "it has {count} field{}, and six are expected: seconds, minutes, hours, days, months, weekdays, and a seventh if it is \
             for some years",
            if count == 1 { "" } else { "s" }
        ));
    }
    FIELDS.iter().zip(fields).find_map(|(field, text)| text.split(',').find_map(|part| field.problem(part)))
}

/// `FRI#2`, the second Friday of a month, which can be said in another way.
fn nth_weekday(fields: &[&str]) -> Option<String> {
    let [second, minute, hour, "*" | "?", month, weekday, years @ ..] = fields else { return None };
    let (day, nth) = weekday.split_once('#')?;
    let nth = nth.parse::<u32>().ok().filter(|nth| (1..=5).contains(nth))?;
    let day = if day.starts_with(|c: char| c.is_ascii_digit()) { "DAY" } else { day };
    let days = format!("{}-{}", 7 * nth - 6, (7 * nth).min(31));
    let all = [&[*second, *minute, *hour, &days, *month, day], years].concat().join(" ");
    Some(format!("`{weekday}` cannot be written here; day and weekday must both match, so write `{all}`"))
}

impl Field {
    /// What is wrong with one of the values, ranges and steps between commas.
    fn problem(&self, part: &str) -> Option<String> {
        let (values, step) = part.split_once('/').map_or((part, None), |(values, step)| (values, Some(step)));
        if let Some(step) = step.filter(|step| step.parse::<u32>().map_or(true, |step| step == 0)) {
            return Some(self.told(part, &format!("; a step is a number from 1, and this is `{step}`")));
        }
        if values == "*" || (values == "?" && matches!(self.name, "days" | "weekdays")) {
            return None;
        }
        let ends: Vec<&str> = values.split('-').collect();
        if let Some(end) = ends.iter().find(|end| self.value(end).is_none()) {
            return Some(self.told(end, self.special(end)));
        }
        match ends.iter().filter_map(|end| self.value(end)).collect::<Vec<_>>().as_slice() {
            [_] => None,
            [first, last] if first <= last => None,
            [_, _] => Some(self.told(part, "; a range goes from the smaller to the larger")),
            _ => Some(self.told(part, "; a range has two ends")),
        }
    }

    /// The number that a text stands for.
    fn value(&self, text: &str) -> Option<u32> {
        let number = text.parse::<u32>().ok().filter(|number| (self.least..=self.most).contains(number));
        number.or_else(|| {
            let is_meant = |word: &&str| [*word, &word[..3]].iter().any(|known| known.eq_ignore_ascii_case(text));
            let position = self.words.iter().position(is_meant)?;
            Some(self.least + u32::try_from(position).ok()?)
        })
    }

    fn told(&self, text: &str, more: &str) -> String {
        let Self { position, name, least, most, words } = self;
        let words = match words {
            [first, .., last] => format!(", or {} to {}", &first[..3], &last[..3]),
            _ => String::new(),
        };
        format!("`{text}` cannot stand in the {position} field, {name}, which go from {least} to {most}{words}{more}")
    }

    /// What other kinds of cron know.
    fn special(&self, text: &str) -> &'static str {
        match self.name {
            "days" | "weekdays" if text.ends_with(['L', 'W']) => "; `L` and `W` are not known here",
            "weekdays" if text.contains('#') => "; `#` takes a number from 1 to 5, and `*` in the fourth field",
            _ => "",
        }
    }
}
