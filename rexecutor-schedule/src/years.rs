//! Which years a cron expression matches.

use crate::field::{Field, YEARS};

/// The years from 1970 to 2100, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Years([u64; 3]);

impl Years {
    pub(crate) fn of(field: &Field) -> Self {
        field.items.iter().flat_map(|item| item.values(field.unit)).collect()
    }

    pub(crate) fn contains(&self, year: i32) -> bool {
        u32::try_from(year).ok().and_then(place).is_some_and(|(word, bit)| self.0[word] & bit != 0)
    }

    pub(crate) fn first(&self) -> Option<i32> {
        self.iter().next()
    }

    pub(crate) fn last(&self) -> Option<i32> {
        self.iter().last()
    }

    pub(crate) fn is_all(&self) -> bool {
        self.iter().count() == (YEARS.least..=YEARS.most).count()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = i32> + use<> {
        let years = *self;
        (YEARS.least..=YEARS.most).filter_map(|year| i32::try_from(year).ok()).filter(move |year| years.contains(*year))
    }
}

impl FromIterator<u32> for Years {
    fn from_iter<I: IntoIterator<Item = u32>>(years: I) -> Self {
        let mut all = Self::default();
        for (word, bit) in years.into_iter().filter_map(place) {
            all.0[word] |= bit;
        }
        all
    }
}

fn place(year: u32) -> Option<(usize, u64)> {
    let place = year.checked_sub(YEARS.least).filter(|_| year <= YEARS.most)?;
    Some((usize::try_from(place / 64).ok()?, 1 << (place % 64)))
}
