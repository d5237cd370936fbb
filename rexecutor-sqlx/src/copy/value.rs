//! Rows as both databases have them.

use sha2::{Digest as _, Sha256};

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Null,
    /// Numbers, truth values (0 and 1), and times: microseconds since 1970.
    Long(i64),
    Text(String),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    Longs(Vec<i64>),
}

/// A row, in the order of its table's columns.
pub(crate) type Row = Vec<Value>;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Small,
    Int,
    Long,
    Bool,
    Text,
    Bytes,
    Instant,
    /// What a clock shows somewhere.
    Local,
    Texts,
    Longs,
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    /// Without SQLite's prefix.
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
    /// How many of the first columns are its key.
    pub(crate) keys: usize,
}

impl Table {
    pub(crate) fn key<'r>(&self, row: &'r Row) -> &'r [Value] {
        row.get(..self.keys).unwrap_or(row)
    }

    /// The columns of the key.
    pub(crate) fn key_columns(&self) -> &'static [Column] {
        self.columns.get(..self.keys).unwrap_or(self.columns)
    }

    /// Names of columns, with commas between them.
    pub(crate) fn names(columns: &[Column]) -> String {
        columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// For people: the table, and which row of it.
    pub(crate) fn shown(&self, row: &Row) -> String {
        let key: Vec<String> = self.key(row).iter().map(Value::shown).collect();
        format!("the row ({}) of the table `{}`", key.join(", "), self.name)
    }
}

impl Value {
    pub(crate) fn long(&self) -> Option<i64> {
        if let Self::Long(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn texts(&self) -> &[String] {
        if let Self::Texts(texts) = self { texts } else { &[] }
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let more = match self {
            Self::Null | Self::Long(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Texts(texts) => texts.iter().map(String::len).sum(),
            Self::Longs(longs) => 8 * longs.len(),
        };
        size_of::<Self>() + more
    }

    /// For people. A key is a number or a text.
    fn shown(&self) -> String {
        match self {
            Self::Long(value) => value.to_string(),
            Self::Text(text) => format!("`{text}`"),
            _ => "NULL".to_owned(),
        }
    }
}

/// How many rows there were, and a digest of all of them in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Digest {
    pub(crate) rows: u64,
    hasher: Sha256,
}

impl Digest {
    pub(crate) fn add(&mut self, row: &Row) {
        self.rows += 1;
        for value in row {
            self.add_value(value);
        }
    }

    /// Each part behind its kind and its length, so that no two rows are told alike.
    fn add_value(&mut self, value: &Value) {
        let part = |hasher: &mut Sha256, bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        match value {
            Value::Null => self.hasher.update([0]),
            Value::Long(value) => {
                self.hasher.update([1]);
                self.hasher.update(value.to_le_bytes());
            }
            Value::Text(text) => {
                self.hasher.update([2]);
                part(&mut self.hasher, text.as_bytes());
            }
            Value::Bytes(bytes) => {
                self.hasher.update([3]);
                part(&mut self.hasher, bytes);
            }
            Value::Texts(texts) => {
                self.hasher.update([4]);
                self.hasher.update((texts.len() as u64).to_le_bytes());
                texts.iter().for_each(|text| part(&mut self.hasher, text.as_bytes()));
            }
            Value::Longs(longs) => {
                self.hasher.update([5]);
                self.hasher.update((longs.len() as u64).to_le_bytes());
                longs.iter().for_each(|long| self.hasher.update(long.to_le_bytes()));
            }
        }
    }

    /// The first 16 bytes of it, in hexadecimal digits.
    pub(crate) fn finish(&self) -> String {
        self.hasher.clone().finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_have_one_digest() {
        let text = |text: &str| Value::Text(text.to_owned());
        let rows = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![text("abc")],
            vec![Value::Texts(vec!["ab".to_owned(), "c".to_owned()])],
            vec![Value::Texts(vec!["abc".to_owned()])],
            vec![Value::Null],
            vec![Value::Long(0)],
            vec![Value::Bytes(b"abc".to_vec())],
            vec![Value::Longs(vec![0])],
        ];
        let digests: std::collections::BTreeSet<String> = rows
            .iter()
            .map(|row| {
                let mut digest = Digest::default();
                digest.add(row);
                digest.finish()
            })
            .collect();
        assert_eq!(digests.len(), rows.len());
        assert!(digests.iter().all(|digest| digest.len() == 32));
    }
}
