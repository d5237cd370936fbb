//! What has come of decoding all jobs that are stored.

use std::{collections::BTreeMap, fmt};

use crate::model::JobId;

/// The most jobs that are named of each executor.
const MOST: usize = 20;

/// What has come of a [`StoredCheck`](super::StoredCheck). Its [`Display`](fmt::Display) has a line for each executor of which anything does not
/// decode, and for each of the first jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredReport {
    /// What is stored of each executor, by the name under which it is stored.
    pub executors: BTreeMap<String, CheckedExecutor>,
    /// How many jobs are stored under names that the program does not have.
    pub unknown: BTreeMap<String, u64>,
}

/// What is stored of an executor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedExecutor {
    /// How many jobs decode.
    pub decoded: u64,
    /// How many do not.
    pub undecoded: u64,
    /// The oldest 20 of those.
    pub examples: Vec<UndecodedRow>,
}

/// A stored job that does not decode.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndecodedRow {
    /// Its number.
    pub id: JobId,
    /// `data` or `metadata`.
    pub part: &'static str,
    /// At which field the decoder stopped, as `address.street` or `lines[3].price`; empty for the whole value.
    pub path: String,
    /// What the decoder says.
    pub error: String,
}

impl StoredReport {
    /// How many jobs do not decode.
    pub fn undecoded(&self) -> u64 {
        self.executors.values().map(|executor| executor.undecoded).sum()
    }

    /// How many jobs were looked at.
    pub fn jobs(&self) -> u64 {
        let known = self.executors.values().map(|executor| executor.decoded + executor.undecoded);
        known.chain(self.unknown.values().copied()).sum()
    }

    /// Whether every job of the program's executors decodes. Names that the program does not have are no fault: another program may
    /// run them.
    pub fn is_ok(&self) -> bool {
        self.undecoded() == 0
    }

    pub(super) fn add(&mut self, name: &str, failed: Option<UndecodedRow>) {
        if !self.executors.contains_key(name) {
            self.executors.insert(name.to_owned(), CheckedExecutor::default());
        }
        let Some(executor) = self.executors.get_mut(name) else { return };
        match failed {
            None => executor.decoded += 1,
            Some(row) => {
                executor.undecoded += 1;
                if executor.examples.len() < MOST {
                    executor.examples.push(row);
                }
            }
        }
    }

    pub(super) fn unknown(&mut self, name: &str) {
        match self.unknown.get_mut(name) {
            Some(jobs) => *jobs += 1,
            None => drop(self.unknown.insert(name.to_owned(), 1)),
        }
    }
}

impl UndecodedRow {
    /// What to write in the program so that it decodes.
    pub fn advice(&self) -> Option<&'static str> {
        let advice = [
            (
                "missing field",
                "write `#[serde(default)]` on the field, or `#[serde(alias = \"..\")]` if it was renamed",
            ),
            (
                "unknown field",
                "leave out `#[serde(deny_unknown_fields)]`, or write `#[serde(alias = \"..\")]` on its new name",
            ),
            ("unknown variant", "keep the variant, or write `#[serde(alias = \"..\")]` on its new name"),
            ("did not match any variant", "keep the variants of the untagged enum that old jobs need"),
            ("invalid type", "keep the type of the field, or give the changed one a new name and `#[serde(default)]`"),
            ("invalid value", "keep the type of the field, or give the changed one a new name and `#[serde(default)]`"),
        ];
        advice.into_iter().find(|(error, _)| self.error.contains(error)).map(|(_, advice)| advice)
    }
}

impl fmt::Display for StoredReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for (name, executor) in self.executors.iter().filter(|(_, executor)| executor.undecoded > 0) {
            let CheckedExecutor { decoded, undecoded, examples } = executor;
            let do_not = if *undecoded == 1 { "does" } else { "do" };
            lines.push(format!("{name}: {undecoded} of {} {do_not} not decode", jobs(decoded + undecoded)));
            lines.extend(examples.iter().map(|row| format!("  {row}")));
            let more = undecoded.saturating_sub(examples.len() as u64);
            if more > 0 {
                lines.push(format!("  and {more} more"));
            }
        }
        for (name, count) in &self.unknown {
            let jobs = jobs(*count);
            lines.push(format!("{name}: {jobs} stored, and no executor of this program has that name"));
        }
        if self.is_ok() {
            let decoded = self.executors.values().map(|executor| executor.decoded).sum();
            lines.push(format!("ok: {} decoded", jobs(decoded)));
        }
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for UndecodedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, part, path, error } = self;
        write!(f, "job {id}, {part}")?;
        if !path.is_empty() {
            write!(f, ", at `{path}`")?;
        }
        write!(f, ": {error}")?;
        match self.advice() {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

fn jobs(count: u64) -> String {
    match count {
        1 => "1 job".to_owned(),
        count => format!("{count} jobs"),
    }
}
