//! The two places in which the databases store jobs differently.
//!
//! PostgreSQL has a column with the errors of a job, each a JSON object, and one with the reason of its cancelling. On SQLite the
//! errors stand in a table of their own, the reason among the extras, and with it how many bytes a heavy job has. Rows that are
//! copied have both as PostgreSQL does, with the names in JSON in order, so that equal jobs are equal texts.

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Map, Value as Json};

use super::value::{Row, Value};

/// Where columns of [`JOBS`](super::tables::JOBS) stand.
pub(crate) const ID: usize = 0;
pub(crate) const EXECUTOR: usize = 1;
pub(crate) const STATUS: usize = 2;
pub(crate) const CANCEL_REASON: usize = 19;
pub(crate) const ERRORS: usize = 20;
pub(crate) const METADATA: usize = 21;
pub(crate) const DATA: usize = 22;
pub(crate) const EXTRAS: usize = 24;

pub(crate) fn id(row: &Row) -> i64 {
    row.get(ID).and_then(Value::long).unwrap_or_default()
}

pub(crate) fn text(row: &Row, column: usize) -> &str {
    row.get(column).and_then(Value::text).unwrap_or_default()
}

/// How many bytes of data and metadata a job has.
#[cfg(feature = "sqlite")]
pub(crate) fn content_bytes(row: &Row) -> usize {
    text(row, DATA).len() + text(row, METADATA).len()
}

/// Brings errors and extras into the form in which they are compared. What is not JSON stays as it is.
pub(crate) fn normalize(row: &mut Row) {
    if let Some(Value::Texts(errors)) = row.get_mut(ERRORS) {
        errors.iter_mut().for_each(normalize_error);
    }
    if row.get(ERRORS).is_some_and(|errors| errors.texts().is_empty()) {
        set(row, ERRORS, Value::Null);
    }
    if let Some(extras) = object(text(row, EXTRAS)) {
        set_extras(row, extras);
    }
}

fn normalize_error(error: &mut String) {
    let Some(mut fields) = object(error) else { return };
    // To the microsecond, as all times in both databases.
    if let Some(at) = fields.get("recorded_at").and_then(Json::as_str).and_then(|at| at.parse::<DateTime<Utc>>().ok()) {
        fields.insert("recorded_at".to_owned(), serde_json::json!(at.trunc_subsecs(6)));
    }
    *error = sorted(fields);
}

/// Takes what SQLite stores among the extras out of them.
#[cfg(feature = "sqlite")]
pub(crate) fn split_extras(row: &mut Row) {
    let Some(mut extras) = object(text(row, EXTRAS)) else { return };
    extras.remove("heavy");
    if let Some(Json::String(reason)) = extras.remove("cancel_reason") {
        set(row, CANCEL_REASON, Value::Text(reason));
    }
    set_extras(row, extras);
}

/// The extras as SQLite stores them; `heavy`: of a heavy job, its bytes.
#[cfg(feature = "sqlite")]
pub(crate) fn joined_extras(row: &Row, heavy: Option<usize>) -> Value {
    let stored = text(row, EXTRAS);
    let Some(mut extras) = (if stored.is_empty() { Some(Map::new()) } else { object(stored) }) else {
        return Value::Text(stored.to_owned());
    };
    if let Some(reason) = row.get(CANCEL_REASON).and_then(Value::text) {
        extras.insert("cancel_reason".to_owned(), reason.into());
    }
    if let Some(bytes) = heavy {
        extras.insert("heavy".to_owned(), bytes.into());
    }
    if extras.is_empty() { Value::Null } else { Value::Text(sorted(extras)) }
}

fn set_extras(row: &mut Row, extras: Map<String, Json>) {
    let extras = if extras.is_empty() { Value::Null } else { Value::Text(sorted(extras)) };
    set(row, EXTRAS, extras);
}

pub(crate) fn set(row: &mut Row, column: usize, value: Value) {
    if let Some(place) = row.get_mut(column) {
        *place = value;
    }
}

fn object(text: &str) -> Option<Map<String, Json>> {
    // A list would be read as well.
    if text.starts_with('{') { serde_json::from_str(text).ok() } else { None }
}

/// As text, with the names in order at every level.
fn sorted(fields: Map<String, Json>) -> String {
    ordered(Json::Object(fields)).to_string()
}

fn ordered(json: Json) -> Json {
    match json {
        Json::Object(fields) => {
            let fields: BTreeMap<String, Json> =
                fields.into_iter().map(|(name, value)| (name, ordered(value))).collect();
            Json::Object(fields.into_iter().collect())
        }
        Json::Array(values) => Json::Array(values.into_iter().map(ordered).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tables::JOBS, *};

    fn empty() -> Row {
        vec![Value::Null; JOBS.columns.len()]
    }

    #[test]
    fn columns_stand_where_they_are_looked_for() {
        for (place, name) in [
            (ID, "id"),
            (EXECUTOR, "executor"),
            (STATUS, "status"),
            (CANCEL_REASON, "cancel_reason"),
            (ERRORS, "errors"),
            (METADATA, "metadata"),
            (DATA, "data"),
            (EXTRAS, "extras"),
        ] {
            assert_eq!(JOBS.columns[place].name, name);
        }
    }

    #[test]
    fn equal_jobs_are_equal_texts() {
        let row = |errors: &[&str], extras: &str| {
            let mut row = empty();
            set(&mut row, ERRORS, Value::Texts(errors.iter().map(|error| (*error).to_owned()).collect()));
            set(&mut row, EXTRAS, Value::Text(extras.to_owned()));
            normalize(&mut row);
            row
        };
        let one =
            row(&[r#"{"attempt":1,"recorded_at":"2026-01-31T09:30:00.123456789Z"}"#], r#"{"weight": 2,"flow":1}"#);
        let two =
            row(&[r#"{"recorded_at":"2026-01-31T09:30:00.123456+00:00", "attempt":1}"#], r#"{"flow":1,"weight":2}"#);
        assert_eq!(one, two);
        assert_eq!(row(&[], "{}"), empty());
        // What cannot be read is kept.
        assert_eq!(row(&["oops"], "[1]")[ERRORS..=ERRORS], [Value::Texts(vec!["oops".to_owned()])]);
        assert_eq!(text(&row(&[], "[1]"), EXTRAS), "[1]");
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn what_sqlite_keeps_among_the_extras_goes_there_and_comes_back() {
        let mut row = empty();
        set(&mut row, EXTRAS, Value::Text(r#"{"cancel_reason":"no","future":{"b":1,"a":2},"heavy":7}"#.to_owned()));
        split_extras(&mut row);
        assert_eq!((text(&row, CANCEL_REASON), text(&row, EXTRAS)), ("no", r#"{"future":{"a":2,"b":1}}"#));
        let stored = joined_extras(&row, Some(7));
        assert_eq!(stored.text(), Some(r#"{"cancel_reason":"no","future":{"a":2,"b":1},"heavy":7}"#));
        assert_eq!(joined_extras(&empty(), None), Value::Null);
    }
}
