//! Lists, arrays of a fixed length, and tuples.

use serde_json::Value;

use super::{Comparison, Finding};
use crate::schema::{
    change::ChangeKind,
    sample::{elements, sample},
    shape::{List, Shape},
    words::shown,
};

impl Comparison<'_> {
    pub(super) fn lists(&mut self, old: &List, new: &List) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(length) = wrong_length(old, new) {
            let kind = ChangeKind::Type { was: shown(&Shape::List(old.clone())), is: shown(&Shape::List(new.clone())) };
            // An empty one, exactly: a sample of a list has an element.
            let witness = match length {
                0 => Some(Vec::new()),
                _ => elements(self.old, old, length, 0),
            };
            found.push(Finding::new(kind, witness.map(Value::Array)));
        }
        let places = old.parts.len().max(new.parts.len());
        let last = old.items.is_some() && new.items.is_some();
        let mut right = elements(self.old, old, old.least.max(places + usize::from(last)), 0);
        let mut inside = Vec::new();
        for place in 0..places + usize::from(last) {
            // A part that one side lacks is a matter of its length.
            let (Some(was), Some(is)) = (old.at(place), new.at(place)) else { continue };
            let found = self.values(was, is);
            if let (false, Some(right), Some(value)) = (found.is_empty(), &mut right, sample(self.new, is)) {
                right[place] = value;
            }
            inside.extend(found.into_iter().map(|finding| (place, finding)));
        }
        let control = right.clone().map(Value::Array);
        for (place, finding) in inside {
            let step = if place < places { format!("[{place}]") } else { "[]".to_owned() };
            let put = |value: Value| {
                let mut whole = right.clone()?;
                *whole.get_mut(place)? = value;
                Some(Value::Array(whole))
            };
            let finding = finding.within(&step, put);
            found.push(Finding { control: finding.control.or(control.clone()), ..finding });
        }
        found
    }
}

/// A length that the old list may have, and the new one not.
fn wrong_length(old: &List, new: &List) -> Option<usize> {
    if old.least < new.least {
        return Some(old.least);
    }
    match (old.most, new.most) {
        (_, None) => None,
        (Some(was), Some(is)) => (was > is).then_some(was),
        (None, Some(is)) => Some(is.saturating_add(1).max(old.least)),
    }
}
