//! One field of a cron expression: what it may hold, and what it holds.

use std::fmt;

/// What one field may be.
#[derive(Debug)]
pub(crate) struct Unit {
    position: &'static str,
    /// What it counts, in the plural.
    pub(crate) name: &'static str,
    pub(crate) least: u32,
    pub(crate) most: u32,
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

pub(crate) static SECONDS: Unit = Unit { position: "first", name: "seconds", least: 0, most: 59, words: &[] };
pub(crate) static MINUTES: Unit = Unit { position: "second", name: "minutes", least: 0, most: 59, words: &[] };
pub(crate) static HOURS: Unit = Unit { position: "third", name: "hours", least: 0, most: 23, words: &[] };
pub(crate) static DAYS_OF_MONTH: Unit = Unit { position: "fourth", name: "days", least: 1, most: 31, words: &[] };
pub(crate) static MONTHS_OF_YEAR: Unit = Unit { position: "fifth", name: "months", least: 1, most: 12, words: MONTHS };
pub(crate) static WEEKDAYS: Unit = Unit { position: "sixth", name: "weekdays", least: 1, most: 7, words: DAYS };
pub(crate) static YEARS: Unit = Unit { position: "seventh", name: "years", least: 1970, most: 2100, words: &[] };

/// What stands in a field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) unit: &'static Unit,
    /// What stands between its commas.
    pub(crate) items: Vec<Item>,
}

/// What stands between two commas.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) kind: Kind,
    pub(crate) step: Option<u32>,
}

/// Which values an item names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `*` or `?`
    All,
    One(u32),
    Range(u32, u32),
    /// `L`: the last day of a month.
    LastDay,
    /// `LW`: the last day of a month from Monday to Friday.
    LastWorkday,
    /// `15W`: the day from Monday to Friday that is nearest to this one, in the same month.
    NearestWorkday(u32),
    /// `FRI#2`: the second Friday of a month.
    Nth(u32, u32),
    /// `FRIL`: the last Friday of a month.
    LastOf(u32),
}

impl Field {
    /// The plain values that it names, a bit each.
    pub(crate) fn mask(&self) -> u64 {
        self.items.iter().flat_map(|item| item.values(self.unit)).fold(0, |mask, value| mask | 1 << value)
    }

    /// Whether it leaves no value out.
    pub(crate) fn is_all(&self) -> bool {
        let all = (self.unit.least..=self.unit.most).count();
        usize::try_from(self.mask().count_ones()).is_ok_and(|count| count == all)
    }
}

impl Item {
    /// The plain values that it names.
    pub(crate) fn values(&self, unit: &Unit) -> impl Iterator<Item = u32> + use<> {
        let (first, last) = match self.kind {
            Kind::All => (unit.least, unit.most),
            Kind::Range(first, last) => (first, last),
            // A step from a single value goes to the end.
            Kind::One(first) if self.step.is_some() => (first, unit.most),
            Kind::One(only) => (only, only),
            // None at all.
            _ => (1, 0),
        };
        (first..=last).step_by(usize::try_from(self.step.unwrap_or(1)).unwrap_or(usize::MAX))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.items.iter().map(|item| item.text.as_str()).collect();
        f.write_str(&texts.join(","))
    }
}

impl Unit {
    /// Reads a field; else says what is wrong with it.
    pub(crate) fn parse(&'static self, text: &str) -> Result<Field, String> {
        let items = text.split(',').map(|part| self.item(part)).collect::<Result<_, _>>()?;
        Ok(Field { unit: self, items })
    }

    fn item(&self, part: &str) -> Result<Item, String> {
        let (values, step) = part.split_once('/').map_or((part, None), |(values, step)| (values, Some(step)));
        let number = step.map(|step| (step, step.parse::<u32>().ok().filter(|step| *step > 0)));
        if let Some((step, None)) = number {
            return Err(self.told(part, &format!("; a step is a number from 1, and this is `{step}`")));
        }
        let kind = self.kind(part, values)?;
        let takes_no_step = !matches!(kind, Kind::All | Kind::One(_) | Kind::Range(..)) || values == "?";
        if step.is_some() && takes_no_step {
            return Err(self.told(part, &format!("; `{values}` takes no step")));
        }
        Ok(Item { text: part.to_owned(), kind, step: number.and_then(|(_, step)| step) })
    }

    fn kind(&self, part: &str, values: &str) -> Result<Kind, String> {
        if values == "*" || (values == "?" && self.has_specials()) {
            return Ok(Kind::All);
        }
        if let Some(special) = self.special(values) {
            return special;
        }
        let ends: Vec<&str> = values.split('-').collect();
        if let Some(end) = ends.iter().find(|end| self.value(end).is_none()) {
            return Err(self.told(end, self.hint(end)));
        }
        match ends.iter().filter_map(|end| self.value(end)).collect::<Vec<_>>().as_slice() {
            [only] => Ok(Kind::One(*only)),
            [first, last] if first <= last => Ok(Kind::Range(*first, *last)),
            [first, last] => Err(self.told(part, &self.wrapped(*first, *last))),
            _ => Err(self.told(part, "; a range has two ends")),
        }
    }

    /// What days and weekdays may be beside their values.
    fn special(&self, text: &str) -> Option<Result<Kind, String>> {
        let upper = text.to_ascii_uppercase();
        match self.name {
            "days" if upper == "L" => Some(Ok(Kind::LastDay)),
            "days" if upper == "LW" => Some(Ok(Kind::LastWorkday)),
            "days" => {
                let day = self.value(upper.strip_suffix('W')?)?;
                Some(Ok(Kind::NearestWorkday(day)))
            }
            "weekdays" => match upper.split_once('#') {
                Some((day, nth)) => {
                    let nth = nth.parse::<u32>().ok().filter(|nth| (1..=5).contains(nth));
                    let kind = self.value(day).zip(nth).map(|(day, nth)| Kind::Nth(day, nth));
                    Some(kind.ok_or_else(|| {
                        self.told(
                            text,
                            "; before `#` stands a weekday, and after it a number from 1 to 5, as in `FRI#2`",
                        )
                    }))
                }
                None => self.value(upper.strip_suffix('L')?).map(|day| Ok(Kind::LastOf(day))),
            },
            _ => None,
        }
    }

    fn has_specials(&self) -> bool {
        matches!(self.name, "days" | "weekdays")
    }

    /// The number that a text stands for.
    fn value(&self, text: &str) -> Option<u32> {
        let number = text.parse::<u32>().ok().filter(|number| (self.least..=self.most).contains(number));
        number.or_else(|| {
            let is_meant = |word: &str| {
                [word, &word[..3]].iter().any(|known| known.eq_ignore_ascii_case(text))
                    || [("TUES", "TUESDAY"), ("THURS", "THURSDAY"), ("SEPT", "SEPTEMBER")]
                        .iter()
                        .any(|(short, long)| short.eq_ignore_ascii_case(text) && *long == word)
            };
            let position = self.words.iter().position(|word| is_meant(word))?;
            Some(self.least + u32::try_from(position).ok()?)
        })
    }

    /// A value as it is written: by its name, if it has one.
    pub(crate) fn written(&self, value: u32) -> String {
        let place = value.checked_sub(self.least).and_then(|place| usize::try_from(place).ok());
        let word = place.and_then(|place| self.words.get(place));
        word.map_or_else(|| value.to_string(), |word| word[..3].to_owned())
    }

    /// Values as a list, in which three and more that follow each other are a range.
    pub(crate) fn list(&self, mask: u64) -> String {
        let mut parts: Vec<(u32, u32)> = Vec::new();
        for value in (self.least..=self.most).filter(|value| mask & (1 << value) != 0) {
            match parts.last_mut() {
                Some((_, last)) if *last + 1 == value => *last = value,
                _ => parts.push((value, value)),
            }
        }
        let part = |(first, last): (u32, u32)| match last - first {
            0 => self.written(first),
            1 => format!("{},{}", self.written(first), self.written(last)),
            _ => format!("{}-{}", self.written(first), self.written(last)),
        };
        parts.into_iter().map(part).collect::<Vec<_>>().join(",")
    }

    /// What a range that goes over the end is as two.
    fn wrapped(&self, first: u32, last: u32) -> String {
        let range = |from: u32, to: u32| match from == to {
            true => self.written(from),
            false => format!("{}-{}", self.written(from), self.written(to)),
        };
        match self.name {
            "years" => "; a range goes from the smaller to the larger".to_owned(),
            _ => format!(
                "; a range goes from the smaller to the larger: write `{},{}` if it is to go over the end",
                range(first, self.most),
                range(self.least, last)
            ),
        }
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
    fn hint(&self, text: &str) -> &'static str {
        match self.name {
            "weekdays" if text.eq_ignore_ascii_case("L") => {
                "; the last Friday of a month is `FRIL`, and its last day is `L` in the fourth field"
            }
            "weekdays" if text.contains(['&', '|']) => "; `&` and `|` stand before the whole field, as in `&MON,FRI`",
            "days" if text.to_ascii_uppercase().contains(['L', 'W']) => {
                "; the last day of a month is `L`, its last weekday `LW`, and the weekday nearest to the 15th `15W`"
            }
            _ => "",
        }
    }
}
