//! A job on its way from one database to the other, as JSON.

use rexecutor::{backend::BackendError, job::ExecutorName};
use serde_json::{Value as Json, json};

use super::{
    error::Result,
    jobs,
    tables::{JOBS, PARTS},
    value::{Kind, Row, Table, Value},
};

/// A job, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moving {
    pub(crate) job: Row,
    /// In the order of [`PARTS`].
    pub(crate) parts: [Vec<Row>; PARTS.len()],
}

/// A job that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// Its number in the source.
    pub(crate) job: i64,
    /// … and in the target.
    pub(crate) stored_as: i64,
    /// Whether it is this call that has stored it.
    pub(crate) is_new: bool,
}

impl Moving {
    pub(crate) fn of(job: Row) -> Self {
        Self { job, parts: Default::default() }
    }

    pub(crate) fn id(&self) -> i64 {
        jobs::id(&self.job)
    }

    pub(crate) fn executor(&self) -> ExecutorName {
        ExecutorName::from(jobs::text(&self.job, jobs::EXECUTOR).to_owned())
    }

    /// The same job with another number.
    pub(crate) fn renumbered(mut self, id: i64) -> Self {
        jobs::set(&mut self.job, jobs::ID, Value::Long(id));
        for row in self.parts.iter_mut().flatten() {
            jobs::set(row, 0, Value::Long(id));
        }
        self
    }

    pub(crate) fn encode(&self) -> String {
        let rows = |table: &Table, rows: &[Row]| rows.iter().map(|row| encode(table, row)).collect::<Json>();
        let mut content = json!({ JOBS.name: encode(&JOBS, &self.job) });
        for (table, part) in PARTS.iter().zip(&self.parts) {
            content[table.name] = rows(table, part);
        }
        content.to_string()
    }

    /// What a row on its way says, if it can be read.
    pub(crate) fn stored(job: i64, content: &str) -> Result<Self> {
        let broken =
            || BackendError::message(format!("what is stored of job {job}, which is on its way, cannot be read"));
        Ok(Self::decode(content).ok_or_else(broken)?)
    }

    /// `None`: it is not what [`encode`](Self::encode) gives.
    pub(crate) fn decode(content: &str) -> Option<Self> {
        let content: Json = serde_json::from_str(content).ok()?;
        let mut moving = Self::of(decode(&JOBS, &content[JOBS.name])?);
        for (table, part) in PARTS.iter().zip(&mut moving.parts) {
            *part = content[table.name].as_array()?.iter().map(|row| decode(table, row)).collect::<Option<_>>()?;
        }
        Some(moving)
    }
}

fn encode(table: &Table, row: &Row) -> Json {
    let value = |value: &Value| match value {
        Value::Null => Json::Null,
        Value::Long(value) => json!(value),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        Value::Texts(texts) => json!(texts),
        Value::Longs(longs) => json!(longs),
    };
    table.columns.iter().zip(row).map(|(_, one)| value(one)).collect()
}

fn decode(table: &Table, row: &Json) -> Option<Row> {
    let row = row.as_array()?;
    let value = |kind: Kind, json: &Json| {
        Some(match (kind, json) {
            (_, Json::Null) => Value::Null,
            (Kind::Text, Json::String(text)) => Value::Text(text.clone()),
            (Kind::Bytes, Json::String(hex)) => Value::Bytes(bytes(hex)?),
            (Kind::Texts, json) => Value::Texts(serde_json::from_value(json.clone()).ok()?),
            (Kind::Longs, json) => Value::Longs(serde_json::from_value(json.clone()).ok()?),
            (_, json) => Value::Long(json.as_i64()?),
        })
    };
    if row.len() != table.columns.len() {
        return None;
    }
    table.columns.iter().zip(row).map(|(column, json)| value(column.kind, json)).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row with something in each column, and one with nothing but its key.
    fn rows(table: &'static Table) -> [Row; 2] {
        let full = table.columns.iter().map(|column| match column.kind {
            Kind::Text => Value::Text("ü\u{1}\"".to_owned()),
            Kind::Bytes => Value::Bytes(vec![0, 255, 16]),
            Kind::Texts => Value::Texts(vec![String::new(), "a,b".to_owned()]),
            Kind::Longs => Value::Longs(vec![0, i64::MAX]),
            _ => Value::Long(i64::MIN),
        });
        let bare =
            table.columns.iter().enumerate().map(|(place, _)| if place == 0 { Value::Long(7) } else { Value::Null });
        [full.collect(), bare.collect()]
    }

    #[test]
    fn a_job_is_read_as_it_was_written() {
        let [full, bare] = rows(&JOBS);
        for job in [full, bare] {
            let moving = Moving { job, parts: PARTS.map(|table| rows(table).to_vec()) };
            assert_eq!(Moving::decode(&moving.encode()), Some(moving));
        }
        assert_eq!(Moving::decode("{}"), None);
        assert_eq!(Moving::decode(r#"{"jobs":[1],"steps":[],"progress":[],"chunks":[]}"#), None);
    }

    #[test]
    fn another_number_is_that_of_all_its_rows() {
        let moving = Moving { job: rows(&JOBS)[1].clone(), parts: PARTS.map(|table| rows(table).to_vec()) };
        let moving = moving.renumbered(9);
        assert_eq!(moving.id(), 9);
        assert!(moving.parts.iter().flatten().all(|row| row[0] == Value::Long(9)));
    }
}
