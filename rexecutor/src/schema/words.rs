//! Shapes in the words of Rust.

use serde_json::Value;

use super::shape::{Integer, List, Object, Others, Shape, Text};

/// What a value may be.
pub(super) fn named(shapes: &[Shape]) -> String {
    let others: Vec<&Shape> = shapes.iter().filter(|shape| **shape != Shape::Null).collect();
    let tags: Vec<String> = others.iter().filter_map(|shape| shape.tag()).map(|tag| tag.name).collect();
    let name = match others.as_slice() {
        [] => return "`()`".to_owned(),
        [one] if tags.is_empty() => shown(one),
        all if tags.len() == all.len() => format!("an enum of `{}`", tags.join("`, `")),
        all => {
            let mut names: Vec<String> = all.iter().map(|shape| shown(shape)).collect();
            names.dedup();
            format!("one of {}", names.join(", "))
        }
    };
    match others.len() == shapes.len() {
        true => name,
        false => match name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) {
            Some(name) if !name.contains('`') => format!("`Option<{name}>`"),
            _ => format!("an `Option` of {name}"),
        },
    }
}

/// What a value of one shape is.
pub(super) fn shown(shape: &Shape) -> String {
    match shape {
        Shape::Any => "any JSON".to_owned(),
        Shape::Null => "`()`".to_owned(),
        Shape::Bool => "`bool`".to_owned(),
        Shape::Integer(integer) => whole(integer),
        Shape::Number => "`f64`".to_owned(),
        Shape::Text(Text { is_char: true, .. }) => "`char`".to_owned(),
        Shape::Text(Text { format: Some(format), .. }) => format!("text with the format `{format}`"),
        Shape::Text(_) => "`String`".to_owned(),
        Shape::Literal(Value::String(name)) => format!("the variant `{name}`"),
        Shape::Literal(value) => format!("`{value}`"),
        Shape::List(list) => listed(list),
        Shape::Object(object) => object_shown(object),
    }
}

fn whole(integer: &Integer) -> String {
    let rust = match integer.format.as_deref() {
        Some("uint") => "usize".to_owned(),
        Some("int") => "isize".to_owned(),
        Some(format) if format.starts_with("int") => format.replacen("int", "i", 1),
        Some(format) if format.starts_with("uint") => format.replacen("uint", "u", 1),
        _ => "i64".to_owned(),
    };
    match integer.has_zero {
        true => format!("`{rust}`"),
        false => format!("`NonZero<{rust}>`"),
    }
}

fn listed(list: &List) -> String {
    match (list.parts.len(), list.most) {
        (0, None) => "a list".to_owned(),
        (0, Some(most)) => format!("an array of {most}"),
        (parts, _) if list.least == parts => format!("a tuple of {parts}"),
        (parts, _) => format!("a tuple of {} to {parts}", list.least),
    }
}

fn object_shown(object: &Object) -> String {
    let is_map = matches!(object.others, Others::Kept(_)) || !object.patterns.is_empty();
    let names: Vec<&str> = object.fields.keys().map(String::as_str).take(5).collect();
    match names.as_slice() {
        [] if is_map => "a map".to_owned(),
        [] => "a struct without fields".to_owned(),
        [one] => format!("a struct with the field `{one}`"),
        names => format!("a struct with the fields `{}`", names.join("`, `")),
    }
}
