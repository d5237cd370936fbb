//! Where two JSON values differ.

use serde_json::Value;

use crate::json::Json;

/// Each place at which they differ, with what is wanted there and what is.
pub(super) fn differences(wanted: &Json, is: &str) -> Vec<String> {
    let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let mut found = Vec::new();
    compare(String::new(), Some(&json(wanted.as_str())), Some(&json(is)), &mut found);
    if found.is_empty() && !wanted.equals(is) {
        // Numbers that differ beyond what a `Value` can tell.
        found.push(format!("wanted {}, is {is}", wanted.as_str()));
    }
    found
}

fn compare(path: String, wanted: Option<&Value>, is: Option<&Value>, found: &mut Vec<String>) {
    match (wanted, is) {
        (Some(Value::Object(wanted)), Some(Value::Object(is))) => {
            let mut keys: Vec<&String> = wanted.keys().chain(is.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            keys.into_iter().for_each(|key| compare(format!("{path}.{key}"), wanted.get(key), is.get(key), found));
        }
        (Some(Value::Array(wanted)), Some(Value::Array(is))) => {
            for index in 0..wanted.len().max(is.len()) {
                compare(format!("{path}[{index}]"), wanted.get(index), is.get(index), found);
            }
        }
        (wanted, is) if wanted == is => {}
        (wanted, is) => {
            let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
            found.push(format!("{path}wanted {}, is {}", shown(wanted), shown(is)));
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
