//! Between rows and jobs.
//!
//! A stored row is input: whatever it holds, reading it gives a job or an error.

use std::{array::TryFromSliceError, collections::HashMap, sync::LazyLock};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Deadline, Demand, JobRow, Marks, OnDiscard},
    job::{ExecutorName, JobError, JobId, JobStatus, Lease, NodeId, uniqueness_criteria::UniqueKey},
};
use sqlx::{
    Decode, Postgres, Row, Type, ValueRef,
    error::BoxDynError,
    postgres::{PgRow, PgTypeInfo, PgValueRef},
};

use crate::common::Stored;

/// The columns of a job, once and for all statements: how each is read, and what stands in its place where only its state
/// is wanted. What few jobs have comes last, in one column, which is NULL for all others: see [`few`].
macro_rules! columns {
    (
        all { $($column:ident: $read:ident $(, else $nothing:literal)? $(, known as $null:literal)?;)* }
        finished { $finished:ident; }
        extras { $($extra:ident: $read_extra:ident $(, as $sql:literal)? $(, else $no_extra:literal)?;)* }
    ) => {
        const NAMES: &[&str] = &[$(stringify!($column),)* stringify!($finished)];

        /// `{columns}` in a statement.
        pub(super) static COLUMNS: LazyLock<String> = LazyLock::new(|| {
            let extras = [$((stringify!($extra), None::<&str>$(.or(Some($sql)))?)),*];
            format!("{}, {}", NAMES.join(", "), few(&extras))
        });

        /// `{claimed}` in a statement that claims: all columns, but nothing of what the claim itself has just set.
        pub(super) static CLAIMED: LazyLock<String> = LazyLock::new(|| {
            let extras = [$((stringify!($extra), None::<&str>$(.or(Some($sql)))?)),*];
            let columns = [$((stringify!($column), None::<&str>$(.or(Some($null)))?),)* (stringify!($finished), None)];
            format!("{}, {}", columns.map(in_place).join(", "), few(&extras))
        });

        /// `{states}` in a statement: all columns, but nothing of what a change of status does not need.
        pub(super) static STATES: LazyLock<String> = LazyLock::new(|| {
            let columns = [
                $((stringify!($column), None::<&str>$(.or(Some($nothing)))?),)*
                (stringify!($finished), None),
            ];
            let extras = [$((stringify!($extra), None::<&str>$(.or(Some($sql)))?$(.or(Some($no_extra)))?)),*];
            format!("{}, {}", columns.map(in_place).join(", "), few(&extras))
        });

        /// Reads a job. Its columns come first in every statement that gives jobs, and in the order in which they are listed
        /// here: to look for each by its name would take longer than all the rest.
        fn read(columns: &mut Columns<'_>, known: &[Demand]) -> sqlx::Result<JobRow> {
            let (id, executor) = (columns.id()?, executor(columns.text()?, known));
            let mut job = JobRow::empty(id, executor);
            read!(columns, job, $($column: $read,)*);
            job.set_finished_at(columns.optional_instant()?);
            if let Some(few) = columns.optional_text()? {
                let few: Few<'_> = serde_json::from_str(few).map_err(|error| broken("extras", error))?;
                $(few.$read_extra(stringify!($extra), &mut job)?;)*
            }
            Ok(job)
        }
    };
}

/// Reads the columns after the first two.
macro_rules! read {
    ($columns:ident, $job:ident, id: id, executor: text, $($column:ident: $read:ident,)*) => {
        $($job.$column = $columns.$read()?;)*
    };
}

columns! {
    all {
        id: id;
        executor: text;
        status: status, known as "NULL::TEXT";
        data: string, else "''";
        metadata: optional_string, else "NULL::TEXT";
        attempt: small;
        max_attempts: small;
        priority: small;
        tags: texts, else "'{}'::TEXT []";
        errors: errors, else "NULL::TEXT []";
        lease: lease;
        node: node, known as "NULL::BIGINT";
        marks: marks;
        unique_key: key;
        inserted_at: instant;
        scheduled_at: instant;
        attempted_at: optional_instant;
    }
    finished { finished_at; }
    extras {
        extras: extras;
        cancel_reason: cancel_reason;
        group_key: group_key;
        line: order, as "line::TEXT";
        deadline_at: deadline, as "encode(timestamptz_send(deadline_at), 'hex')";
        output: output;
    }
}

/// How many columns a job has.
pub(super) const COUNT: usize = NAMES.len() + 1;

/// What few jobs have, as a JSON object of texts, and NULL for a job that has nothing of it. As columns they would be NULL
/// in nearly every row, and reading them a tenth of all that a node computes while it drains a queue.
fn few(extras: &[(&str, Option<&str>)]) -> String {
    // Whoever stands in a line has a key.
    let names = extras.iter().map(|(name, _)| *name).filter(|name| *name != "line");
    let names = names.collect::<Vec<_>>().join(", ");
    let fields = extras.iter().map(|(name, sql)| format!("'{name}', {}", sql.unwrap_or(name)));
    let fields = fields.collect::<Vec<_>>().join(", ");
    format!("CASE WHEN num_nonnulls({names}) > 0 THEN json_build_object({fields})::TEXT END AS extras")
}

/// A column, or what stands in its place.
fn in_place((name, other): (&str, Option<&str>)) -> String {
    other.map_or_else(|| name.to_owned(), |other| format!("{other} AS {name}"))
}

/// Reads a job.
pub(super) fn job(row: &PgRow) -> sqlx::Result<JobRow> {
    read(&mut Columns { row, next: 0, by: None }, &[])
}

/// … that this node has just claimed. It may be one of these executors', whose name need not be copied then.
pub(super) fn claimed_job(row: &PgRow, by: NodeId, known: &[Demand]) -> sqlx::Result<JobRow> {
    read(&mut Columns { row, next: 0, by: Some(by) }, known)
}

fn executor(name: &str, known: &[Demand]) -> ExecutorName {
    let known = known.iter().map(|demand| &demand.executor).find(|executor| executor.as_str() == name);
    known.cloned().unwrap_or_else(|| ExecutorName::from(name.to_owned()))
}

/// The columns of a row, one after the other.
struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
    /// Which node has just claimed the job, if one has: then the row does not say that it is executing, and where.
    by: Option<NodeId>,
}

impl<'r> Columns<'r> {
    #[inline]
    fn value(&mut self) -> sqlx::Result<PgValueRef<'r>> {
        self.next += 1;
        self.row.try_get_raw(self.next - 1)
    }

    /// What is wrong with the column that was read last.
    fn broken(&self, source: impl Into<BoxDynError>) -> sqlx::Error {
        broken(NAMES.get(self.next - 1).copied().unwrap_or_default(), source)
    }

    fn optional_bytes(&mut self) -> sqlx::Result<Option<&'r [u8]>> {
        let value = self.value()?;
        match value.is_null() {
            true => Ok(None),
            false => value.as_bytes().map(Some).map_err(|error| self.broken(error)),
        }
    }

    fn optional_text(&mut self) -> sqlx::Result<Option<&'r str>> {
        let bytes = self.optional_bytes()?;
        bytes.map(str::from_utf8).transpose().map_err(|error| self.broken(error))
    }

    fn text(&mut self) -> sqlx::Result<&'r str> {
        self.optional_text()?.ok_or_else(|| self.broken("it is NULL"))
    }

    fn string(&mut self) -> sqlx::Result<String> {
        self.text().map(str::to_owned)
    }

    fn optional_string(&mut self) -> sqlx::Result<Option<String>> {
        Ok(self.optional_text()?.map(str::to_owned))
    }

    fn texts(&mut self) -> sqlx::Result<Vec<String>> {
        let value = self.value()?;
        match value.is_null() {
            true => Ok(Vec::new()),
            false => Decode::<Postgres>::decode(value).map_err(|error| self.broken(error)),
        }
    }

    fn errors(&mut self) -> sqlx::Result<Vec<JobError>> {
        let stored = self.texts()?;
        stored.iter().map(|error| serde_json::from_str(error).map_err(|error| self.broken(error))).collect()
    }

    fn status(&mut self) -> sqlx::Result<JobStatus> {
        match (self.optional_text()?, self.by) {
            (None, Some(_)) => Ok(JobStatus::Executing),
            (Some(status), _) => status.parse().map_err(|error| self.broken(error)),
            (None, None) => Err(self.broken("it is NULL")),
        }
    }

    fn optional_long(&mut self) -> sqlx::Result<Option<i64>> {
        let Some(bytes) = self.optional_bytes()? else { return Ok(None) };
        let bytes = bytes.try_into().map_err(|error: TryFromSliceError| self.broken(error))?;
        Ok(Some(i64::from_be_bytes(bytes)))
    }

    fn long(&mut self) -> sqlx::Result<i64> {
        self.optional_long()?.ok_or_else(|| self.broken("it is NULL"))
    }

    fn optional_int(&mut self) -> sqlx::Result<Option<i32>> {
        let Some(bytes) = self.optional_bytes()? else { return Ok(None) };
        let bytes = bytes.try_into().map_err(|error: TryFromSliceError| self.broken(error))?;
        Ok(Some(i32::from_be_bytes(bytes)))
    }

    fn small(&mut self) -> sqlx::Result<u16> {
        let int = self.optional_int()?.ok_or_else(|| self.broken("it is NULL"))?;
        u16::try_from(int).map_err(|error| self.broken(error))
    }

    fn id(&mut self) -> sqlx::Result<JobId> {
        self.long().map(JobId::from)
    }

    fn lease(&mut self) -> sqlx::Result<Lease> {
        self.long().map(Lease)
    }

    fn node(&mut self) -> sqlx::Result<Option<NodeId>> {
        Ok(self.optional_long()?.map(NodeId).or(self.by))
    }

    fn marks(&mut self) -> sqlx::Result<Marks> {
        Ok(Marks::from_stored(self.optional_int()?.map(i32::cast_unsigned)))
    }

    fn key(&mut self) -> sqlx::Result<Option<UniqueKey>> {
        let Some(bytes) = self.optional_bytes()? else { return Ok(None) };
        <[u8; 16]>::try_from(bytes).map(|key| Some(UniqueKey(key))).map_err(|error| self.broken(error))
    }

    fn optional_instant(&mut self) -> sqlx::Result<Option<DateTime<Utc>>> {
        let Some(micros) = self.optional_long()? else { return Ok(None) };
        Micros(micros).instant(NAMES.get(self.next - 1).copied().unwrap_or_default()).map(Some)
    }

    fn instant(&mut self) -> sqlx::Result<DateTime<Utc>> {
        self.optional_instant()?.ok_or_else(|| self.broken("it is NULL"))
    }
}

/// What few jobs have, by its columns.
#[derive(serde::Deserialize)]
struct Few<'r>(#[serde(borrow)] HashMap<&'r str, Option<String>>);

impl Few<'_> {
    fn text(&self, column: &str) -> Option<&str> {
        self.0.get(column)?.as_deref()
    }

    fn string(&self, column: &str) -> Option<String> {
        self.text(column).map(str::to_owned)
    }

    fn extras(&self, column: &str, job: &mut JobRow) -> sqlx::Result<()> {
        self.text(column).map_or(Ok(()), |stored| Stored::add(stored, job)).map_err(|error| broken(column, error))
    }

    fn cancel_reason(&self, column: &str, job: &mut JobRow) -> sqlx::Result<()> {
        job.extras.set(|extra| &mut extra.cancel_reason, self.string(column));
        Ok(())
    }

    fn order(&self, column: &str, job: &mut JobRow) -> sqlx::Result<()> {
        let order = self.text(column).map(str::parse).transpose().map_err(|error| broken(column, error))?;
        job.extras.set(|extra| &mut extra.order, order.map(OnDiscard::from_stored));
        Ok(())
    }

    fn group_key(&self, column: &str, job: &mut JobRow) -> sqlx::Result<()> {
        job.extras.set(|extra| &mut extra.group_key, self.string(column));
        Ok(())
    }

    fn output(&self, column: &str, job: &mut JobRow) -> sqlx::Result<()> {
        job.extras.set(|extra| &mut extra.output, self.string(column));
        Ok(())
    }

    /// As PostgreSQL sends it, in hexadecimal digits.
    fn deadline(&self, column: &str, job: &mut JobRow) -> sqlx::Result<()> {
        let Some(hex) = self.text(column) else { return Ok(()) };
        let bits = u64::from_str_radix(hex, 16).map_err(|error| broken(column, error))?;
        let at = Micros(bits.cast_signed()).instant(column)?;
        job.extras.set(|extra| &mut extra.deadline, Some(Deadline::At(at)));
        Ok(())
    }
}

/// An instant as PostgreSQL stores it: microseconds since 2000. Its own range is wider than that of [`DateTime`], which
/// must not panic for it.
pub(super) struct Micros(pub(super) i64);

impl Type<Postgres> for Micros {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Micros {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(i64::from_be_bytes(value.as_bytes()?.try_into()?)))
    }
}

impl Micros {
    pub(super) fn instant(self, column: &str) -> sqlx::Result<DateTime<Utc>> {
        const EPOCH: i64 = 946_684_800_000_000;
        let instant = self.0.checked_add(EPOCH).and_then(DateTime::from_timestamp_micros);
        instant.ok_or_else(|| broken(column, format!("{} microseconds after 2000 is no instant", self.0)))
    }
}

pub(super) fn instant(row: &PgRow, column: &str) -> sqlx::Result<DateTime<Utc>> {
    row.try_get::<Micros, _>(column)?.instant(column)
}

pub(super) fn optional_instant(row: &PgRow, column: &str) -> sqlx::Result<Option<DateTime<Utc>>> {
    match row.try_get_raw(column)?.is_null() {
        true => Ok(None),
        false => instant(row, column).map(Some),
    }
}

pub(super) fn broken(column: &str, source: impl Into<BoxDynError>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: source.into() }
}
