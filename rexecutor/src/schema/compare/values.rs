//! Values that may be of one of several shapes.

use serde_json::{Value, json};

use super::{Comparison, Finding};
use crate::schema::{
    change::ChangeKind,
    sample::{outside, whole},
    shape::{Shape, Tag},
    words::{named, shown},
};

impl Comparison<'_> {
    /// Each of the old shapes must fit one of the new ones.
    pub(super) fn alternatives(&mut self, old: &[Shape], new: &[Shape]) -> Vec<Finding> {
        let mut found: Vec<Finding> = Vec::new();
        for was in old {
            for finding in self.one_of(was, old, new) {
                if !found.iter().any(|known| known.path == finding.path && known.kind == finding.kind) {
                    found.push(finding);
                }
            }
        }
        found
    }

    fn one_of(&mut self, was: &Shape, old: &[Shape], new: &[Shape]) -> Vec<Finding> {
        if let Some(tag) = was.tag() {
            let same: Vec<&Shape> = new.iter().filter(|is| is.tag().as_ref() == Some(&tag)).collect();
            // Else a variant would be compared with all others.
            if !same.is_empty() {
                let found = self.best(was, &same, old, new);
                // A struct with one field may look like the only variant of an enum.
                let is_enum = tag.field.is_some() || old.len() > 1;
                return match is_enum {
                    true => found.into_iter().map(|finding| finding.of_variant(&tag.name)).collect(),
                    false => found,
                };
            }
            let is_enum = new.iter().any(|is| is.tag().is_some_and(|other| other.field == tag.field));
            let others: Vec<&Shape> = new.iter().filter(|is| is.tag().is_none()).collect();
            if is_enum {
                let found = self.best(was, &others, old, new);
                return if found.is_empty() { found } else { vec![self.without(was, tag, new)] };
            }
            let found = self.best(was, &new.iter().collect::<Vec<_>>(), old, new);
            let other = new.iter().filter_map(Shape::tag).find(|other| other.field != tag.field);
            return match other.filter(|_| !found.is_empty()) {
                Some(other) => vec![self.retagged(was, tag, other)],
                None => found,
            };
        }
        let found = self.best(was, &new.iter().collect::<Vec<_>>(), old, new);
        match was.only_field().filter(|_| is_result(old)) {
            Some(variant) => found.into_iter().map(|finding| finding.of_variant(variant)).collect(),
            None => found,
        }
    }

    fn retagged(&self, was: &Shape, old: Tag, new: Tag) -> Finding {
        let place = new.field.clone().unwrap_or_default();
        Finding::new(ChangeKind::Tag { was: old.field, is: new.field }, self.sample_of(was)).within(&place, Some)
    }

    fn without(&self, was: &Shape, Tag { name, field }: Tag, new: &[Shape]) -> Finding {
        let tags = new.iter().filter_map(Shape::tag).filter(|tag| tag.field == field).map(|tag| tag.name);
        let kind = ChangeKind::VariantRemoved { variant: name, variants: tags.collect() };
        Finding::new(kind, self.sample_of(was))
    }

    /// What is wrong with the new shape with which the least is wrong.
    fn best(&mut self, was: &Shape, candidates: &[&Shape], old: &[Shape], new: &[Shape]) -> Vec<Finding> {
        let mut best: Option<Vec<Finding>> = None;
        for is in candidates {
            let Some(found) = self.shapes(was, is) else { continue };
            if found.is_empty() {
                return found;
            }
            if best.as_ref().is_none_or(|best| found.len() < best.len()) {
                best = Some(found);
            }
        }
        best.unwrap_or_else(|| vec![self.another_type(was, old, new)])
    }

    fn another_type(&self, was: &Shape, old: &[Shape], new: &[Shape]) -> Finding {
        let is_nullable = *was == Shape::Null && old.len() > 1;
        let same = was.tag().and_then(|tag| new.iter().find(|is| is.tag().as_ref() == Some(&tag)));
        let kind = match (is_nullable, same) {
            (true, _) => ChangeKind::NotNull { is: named(new) },
            (false, Some(is)) => ChangeKind::Type { was: shown(was), is: shown(is) },
            (false, None) => ChangeKind::Type { was: named(old), is: named(new) },
        };
        Finding::new(kind, self.sample_of(was))
    }

    /// What is wrong with reading one shape as another; `None`: they have nothing in common.
    fn shapes(&mut self, was: &Shape, is: &Shape) -> Option<Vec<Finding>> {
        let fits = Some(Vec::new());
        match (was, is) {
            (_, Shape::Any) => fits,
            (Shape::Null, Shape::Null) | (Shape::Bool, Shape::Bool) => fits,
            (Shape::Literal(was), is) => self.literal(was, is),
            (Shape::Integer(_), Shape::Number) | (Shape::Number, Shape::Number) => fits,
            (Shape::Integer(this), Shape::Integer(that)) => Some(match outside(this, that) {
                None => Vec::new(),
                Some((beyond, both)) => {
                    let kind = ChangeKind::Type { was: shown(was), is: shown(is) };
                    let finding = Finding::new(kind, whole(beyond));
                    vec![Finding { control: both.and_then(whole), ..finding }]
                }
            }),
            (Shape::Text(this), Shape::Text(that)) => {
                let is_fewer = that.format.is_some() && this.format != that.format;
                if !is_fewer && (this.is_char || !that.is_char) {
                    return fits;
                }
                let kind = ChangeKind::Type { was: shown(was), is: shown(is) };
                let text = if is_fewer { self.sample_of(was) } else { Some(json!("several")) };
                let finding = Finding::new(kind, text);
                // A bound that is checked elsewhere looks like a `char`.
                let control = (!is_fewer).then(|| json!("a"));
                Some(vec![Finding { control, is_doubtful: !is_fewer, ..finding }])
            }
            (Shape::List(this), Shape::List(that)) => Some(self.lists(this, that)),
            (Shape::Object(this), Shape::Object(that)) => Some(self.objects(this, that)),
            (Shape::Any, _) => {
                let kind = ChangeKind::Type { was: shown(was), is: shown(is) };
                let odd = if matches!(is, Shape::Bool) { json!(7) } else { json!(true) };
                Some(vec![Finding::new(kind, Some(odd))])
            }
            _ => None,
        }
    }

    /// A value that is written as it is, as the name of a variant.
    fn literal(&self, was: &Value, is: &Shape) -> Option<Vec<Finding>> {
        let fits = match (was, is) {
            (was, Shape::Literal(is)) => was == is,
            (Value::String(_), Shape::Text(text)) => text.format.is_none(),
            (Value::Bool(_), Shape::Bool) | (Value::Null, Shape::Null) | (Value::Number(_), Shape::Number) => true,
            (Value::Number(number), Shape::Integer(integer)) => {
                let number = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
                number.is_some_and(|number| {
                    let is_small = u128::try_from(number).map_or(true, |number| number <= integer.most);
                    integer.least <= number && is_small && (number != 0 || integer.has_zero)
                })
            }
            _ => false,
        };
        fits.then(Vec::new)
    }
}

/// Whether these are the variants of a `Result`, whose schema does not refuse other keys, as that of an enum does.
fn is_result(shapes: &[Shape]) -> bool {
    shapes.iter().map(Shape::only_field).eq([Some("Ok"), Some("Err")])
}
