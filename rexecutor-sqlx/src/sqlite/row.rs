//! A row of the table as a [`JobRow`], and back.
//!
//! A stored row is input: whatever is wrong with it is told, and nothing here panics.

use std::{cell::Cell, sync::LazyLock};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Deadline, JobRow, Marks, OnDiscard},
    job::{ExecutorName, JobId, JobStatus, Lease, NodeId, uniqueness_criteria::UniqueKey},
};
use sqlx::{Decode, Row, Sqlite, Type, sqlite::SqliteRow};

use crate::common::Stored;

pub(super) type Problem = Box<dyn std::error::Error + Send + Sync>;

/// A row that is no job.
#[derive(Debug, thiserror::Error)]
#[error("job {id} cannot be read")]
pub(super) struct Unreadable {
    pub(super) id: JobId,
    #[source]
    pub(super) problem: Problem,
}

impl From<Unreadable> for sqlx::Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::Decode(unreadable.into())
    }
}

/// Microseconds since the epoch.
pub(super) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

/// The columns of a job, once and for all statements: how each is read, and what stands in its place where only its state
/// is wanted. Those that few jobs have come last.
macro_rules! columns {
    (
        all { $($column:ident: $read:ident $(, else $nothing:literal)?;)* }
        few { $($rare:ident: $read_rare:ident;)* }
        finished { $($finished:ident: $read_finished:ident $(, else $no_result:literal)?;)* }
    ) => {
        const NAMES: &[&str] = &[$(stringify!($column),)* $(stringify!($rare),)* $(stringify!($finished)),*];

        /// What few jobs have before they are finished.
        pub(super) const RARE: [&str; [$(stringify!($rare)),*].len()] = [$(stringify!($rare)),*];

        /// `{columns}` in a statement.
        pub(super) static COLUMNS: LazyLock<String> = LazyLock::new(|| NAMES.join(", "));

        /// `{states}` in a statement: all columns, but nothing of what a change of status does not need.
        pub(super) static STATES: LazyLock<String> = LazyLock::new(|| {
            let columns = [
                $((stringify!($column), None::<&str>$(.or(Some($nothing)))?),)*
                $((stringify!($rare), None::<&str>),)*
                $((stringify!($finished), None::<&str>$(.or(Some($no_result)))?)),*
            ];
            let column = |(name, nothing): (&str, Option<&str>)| match nothing {
                Some(nothing) => format!("{nothing} AS {name}"),
                None => name.to_owned(),
            };
            columns.map(column).join(", ")
        });

        /// Reads a job. Its columns come first in every statement that gives jobs, and in the order in which they are listed
        /// here: to look for each by its name would take longer than all the rest.
        fn read_columns(id: JobId, columns: &Columns<'_>) -> Result<JobRow, Problem> {
            let mut job = JobRow::empty(id, ExecutorName::from(text(columns, "executor")?));
            read!(columns, job, $($column: $read,)*);
            read_rare(&mut job, columns)?;
            $($read_finished(&mut job, columns, stringify!($finished))?;)*
            Ok(job)
        }

        /// Adds what few jobs have.
        pub(super) fn read_rare(job: &mut JobRow, row: &impl Source) -> Result<(), Problem> {
            $($read_rare(job, row, stringify!($rare))?;)*
            Ok(())
        }
    };
}

/// Reads the columns after the first two.
macro_rules! read {
    ($row:ident, $job:ident, id: id, executor: text, $($column:ident: $read:ident,)*) => {
        $($job.$column = $read($row, stringify!($column))?;)*
    };
}

columns! {
    all {
        id: id;
        executor: text;
        status: status;
        priority: small;
        scheduled_at: instant;
        attempt: small;
        max_attempts: small;
        lease: lease;
        node: node;
        inserted_at: instant;
        attempted_at: optional_instant;
        unique_key: key;
        tags: tags, else "'[]'";
        metadata: optional_text, else "NULL";
        data: text, else "''";
    }
    few {
        marks: marks;
        deadline_at: deadline;
        group_key: group_key;
        line: order;
        extras: extras;
    }
    finished {
        finished_at: finish;
        output: output;
    }
}

/// Where columns are read from.
pub(super) trait Source {
    fn integer(&self, column: &'static str) -> Result<Option<i64>, Problem>;

    fn string(&self, column: &'static str) -> Result<Option<String>, Problem>;
}

impl Source for SqliteRow {
    fn integer(&self, column: &'static str) -> Result<Option<i64>, Problem> {
        Ok(self.try_get(column)?)
    }

    fn string(&self, column: &'static str) -> Result<Option<String>, Problem> {
        Ok(self.try_get(column)?)
    }
}

/// The columns of a row, one after the other, whatever their names.
struct Columns<'r> {
    row: &'r SqliteRow,
    next: Cell<usize>,
}

impl<'r> Columns<'r> {
    fn value<T: Decode<'r, Sqlite> + Type<Sqlite>>(&self, column: &'static str) -> Result<T, Problem> {
        in_column(column, self.row.try_get(self.next.replace(self.next.get() + 1)))
    }
}

impl Source for Columns<'_> {
    fn integer(&self, column: &'static str) -> Result<Option<i64>, Problem> {
        self.value(column)
    }

    fn string(&self, column: &'static str) -> Result<Option<String>, Problem> {
        self.value(column)
    }
}

/// Reads a row without its errors.
pub(super) fn read(row: &SqliteRow) -> Result<JobRow, Unreadable> {
    let id = JobId::from(row.try_get::<i64, _>(0).unwrap_or_default());
    read_columns(id, &Columns { row, next: Cell::new(1) }).map_err(|problem| Unreadable { id, problem })
}

pub(super) fn text(row: &impl Source, column: &'static str) -> Result<String, Problem> {
    row.string(column)?.ok_or_else(|| is_empty(column))
}

fn integer(row: &impl Source, column: &'static str) -> Result<i64, Problem> {
    row.integer(column)?.ok_or_else(|| is_empty(column))
}

fn is_empty(column: &str) -> Problem {
    format!("column `{column}` is empty").into()
}

fn optional_text(row: &impl Source, column: &'static str) -> Result<Option<String>, Problem> {
    row.string(column)
}

fn status(row: &impl Source, column: &'static str) -> Result<JobStatus, Problem> {
    in_column(column, text(row, column)?.parse::<JobStatus>())
}

fn lease(row: &impl Source, column: &'static str) -> Result<Lease, Problem> {
    integer(row, column).map(Lease)
}

fn node(row: &impl Source, column: &'static str) -> Result<Option<NodeId>, Problem> {
    Ok(row.integer(column)?.map(NodeId))
}

fn marks(job: &mut JobRow, row: &impl Source, column: &'static str) -> Result<(), Problem> {
    let bits = row.integer(column)?.map(|bits| in_column(column, u32::try_from(bits)));
    job.marks = Marks::from_stored(bits.transpose()?);
    Ok(())
}

fn deadline(job: &mut JobRow, row: &impl Source, column: &'static str) -> Result<(), Problem> {
    let deadline = optional_instant(row, column)?.map(Deadline::At);
    job.extras.set(|extra| &mut extra.deadline, deadline);
    Ok(())
}

fn group_key(job: &mut JobRow, row: &impl Source, column: &'static str) -> Result<(), Problem> {
    let key = row.string(column)?;
    job.extras.set(|extra| &mut extra.group_key, key);
    Ok(())
}

fn order(job: &mut JobRow, row: &impl Source, column: &'static str) -> Result<(), Problem> {
    let order = row.integer(column)?.map(OnDiscard::from_stored);
    job.extras.set(|extra| &mut extra.order, order);
    Ok(())
}

fn extras(job: &mut JobRow, row: &impl Source, column: &'static str) -> Result<(), Problem> {
    match row.string(column)? {
        Some(stored) => in_column(column, Stored::add(&stored, job)),
        None => Ok(()),
    }
}

fn finish(job: &mut JobRow, row: &impl Source, column: &'static str) -> Result<(), Problem> {
    job.set_finished_at(optional_instant(row, column)?);
    Ok(())
}

fn output(job: &mut JobRow, row: &impl Source, column: &'static str) -> Result<(), Problem> {
    let output = row.string(column)?;
    job.extras.set(|extra| &mut extra.output, output);
    Ok(())
}

fn key(columns: &Columns<'_>, column: &'static str) -> Result<Option<UniqueKey>, Problem> {
    let Some(key) = columns.value::<Option<Vec<u8>>>(column)? else { return Ok(None) };
    in_column(column, key.try_into().map(UniqueKey).map_err(|_| "not 16 bytes")).map(Some)
}

fn tags(row: &impl Source, column: &'static str) -> Result<Vec<String>, Problem> {
    tags_of(&text(row, column)?)
}

/// Tags that a job can have.
pub(super) fn tags_of(stored: &str) -> Result<Vec<String>, Problem> {
    // Most have none.
    if stored == "[]" { Ok(Vec::new()) } else { in_column("tags", serde_json::from_str(stored)) }
}

pub(super) fn small(row: &impl Source, column: &'static str) -> Result<u16, Problem> {
    small_of(integer(row, column)?, column)
}

/// A number that a job can have.
pub(super) fn small_of(value: i64, column: &'static str) -> Result<u16, Problem> {
    u16::try_from(value).map_err(|_| format!("column `{column}` is {value}, and should be 0 to 65535").into())
}

pub(super) fn instant(row: &impl Source, column: &'static str) -> Result<DateTime<Utc>, Problem> {
    optional_instant(row, column)?.ok_or_else(|| is_empty(column))
}

fn optional_instant(row: &impl Source, column: &'static str) -> Result<Option<DateTime<Utc>>, Problem> {
    row.integer(column)?.map(|micros| instant_of(micros, column)).transpose()
}

/// An instant that a job can have.
pub(super) fn instant_of(micros: i64, column: &'static str) -> Result<DateTime<Utc>, Problem> {
    let instant = DateTime::from_timestamp_micros(micros).filter(|instant| rexecutor::limits::is_storable(*instant));
    instant.ok_or_else(|| format!("column `{column}` is {micros}, which is no time in the years 1 to 9999").into())
}

pub(super) fn in_column<T, E: std::fmt::Display>(column: &str, value: Result<T, E>) -> Result<T, Problem> {
    value.map_err(|error| format!("column `{column}`: {error}").into())
}
