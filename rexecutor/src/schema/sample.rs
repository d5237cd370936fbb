//! A value that a schema describes, to be decoded in place of a stored one.

use serde_json::{Map, Number, Value, json};

use super::{
    normal::Document,
    shape::{Integer, List, Object, Shape},
};

/// How deep a sample nests before it leaves out what it can.
const DEEP: usize = 6;

/// A value with all its fields; `None`: there is none, or it cannot be told.
pub(super) fn sample(document: Document<'_>, schema: &Value) -> Option<Value> {
    any(document, schema, 0)
}

/// A value of this shape.
pub(super) fn of_shape(document: Document<'_>, shape: &Shape) -> Option<Value> {
    one(document, shape, 0)
}

fn any(document: Document<'_>, schema: &Value, depth: usize) -> Option<Value> {
    if depth > 4 * DEEP {
        return None;
    }
    let shapes = document.alternatives(schema).ok()?;
    let mut shapes: Vec<Shape> = shapes.iter().map(Shape::of).collect();
    // A recursive type ends with one of these.
    if depth >= DEEP {
        shapes.sort_by_key(|shape| matches!(shape, Shape::Object(_) | Shape::List(_)));
    } else {
        shapes.sort_by_key(|shape| matches!(shape, Shape::Null));
    }
    shapes.iter().find_map(|shape| one(document, shape, depth))
}

fn one(document: Document<'_>, shape: &Shape, depth: usize) -> Option<Value> {
    Some(match shape {
        Shape::Any | Shape::Null => Value::Null,
        Shape::Bool => json!(true),
        Shape::Integer(integer) => whole(if integer.most > 0 && integer.least <= 1 { 1 } else { integer.least })?,
        Shape::Number => json!(1.5),
        Shape::Text(text) => json!(formatted(text.format.as_deref())),
        Shape::Literal(value) => value.clone(),
        Shape::List(list) => Value::Array(elements(document, list, list.least, depth)?),
        Shape::Object(object) => Value::Object(fields(document, object, depth)?),
    })
}

/// So many elements of a list.
pub(super) fn elements(document: Document<'_>, list: &List, count: usize, depth: usize) -> Option<Vec<Value>> {
    // A `Vec` has one, where it does not nest: what is wrong with it is in its elements.
    let count = if count == 0 && list.most != Some(0) && depth < DEEP { 1 } else { count };
    (0..count.min(1_000)).map(|place| any(document, list.at(place).unwrap_or(&Value::Null), depth + 1)).collect()
}

fn fields(document: Document<'_>, object: &Object, depth: usize) -> Option<Map<String, Value>> {
    let mut all = Map::new();
    for (name, field) in &object.fields {
        if !field.is_required && depth >= DEEP {
            continue;
        }
        match any(document, &field.schema, depth + 1) {
            Some(value) => drop(all.insert(name.clone(), value)),
            None if field.is_required => return None,
            None => {}
        }
    }
    Some(all)
}

/// A whole number as JSON, if `serde_json` can hold it.
pub(super) fn whole(number: i128) -> Option<Value> {
    let number = u64::try_from(number).map(Number::from).or_else(|_| i64::try_from(number).map(Number::from));
    number.ok().map(Value::Number)
}

/// A number of one range that the other one does not have, and one that both have.
pub(super) fn outside(was: &Integer, is: &Integer) -> Option<(i128, Option<i128>)> {
    let most = |integer: &Integer| i128::try_from(integer.most).unwrap_or(i128::MAX);
    let (least, most) = ((was.least, is.least), (most(was), most(is)));
    let both = Some(least.0.max(least.1).max(1)).filter(|both| *both <= most.0.min(most.1));
    let beyond = match () {
        () if was.most > is.most => most.1.checked_add(1)?,
        () if least.0 < least.1 => least.1 - 1,
        () if was.has_zero && !is.has_zero => 0,
        () => return None,
    };
    Some((beyond, both))
}

fn formatted(format: Option<&str>) -> &'static str {
    match format {
        Some("date-time") => "2026-01-02T03:04:05Z",
        Some("partial-date-time") => "2026-01-02T03:04:05",
        Some("date") => "2026-01-02",
        Some("time") => "03:04:05Z",
        Some("partial-time") => "03:04:05",
        Some("duration") => "PT1S",
        Some("uuid") => "67e55044-10b1-426f-9247-bb680e5fe0c8",
        Some("ip" | "ipv4") => "127.0.0.1",
        Some("ipv6") => "::1",
        Some("uri") => "https://example.com/",
        Some("email") => "ada@example.com",
        _ => "a",
    }
}
