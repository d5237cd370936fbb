//! Between rows and jobs.
//!
//! A stored row is input: whatever it holds, reading it gives a job or an error.

use std::array::TryFromSliceError;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Demand, JobRow},
    job::{ExecutorName, JobId, Lease, NodeId, uniqueness_criteria::UniqueKey},
};
use sqlx::{
    Decode, Postgres, Row, Type, ValueRef,
    error::BoxDynError,
    postgres::{PgRow, PgTypeInfo, PgValueRef},
};

/// How many columns a job has.
pub(super) const COLUMNS: usize = 20;

/// Reads a job. Its columns come first in every statement that gives jobs, and in the order in which they are read here:
/// to look for each by its name would take longer than all the rest.
pub(super) fn job(row: &PgRow) -> sqlx::Result<JobRow> {
    claimed_job(row, &[])
}

/// … that may be one of these executors', whose name need not be copied then.
pub(super) fn claimed_job(row: &PgRow, slots: &[Demand]) -> sqlx::Result<JobRow> {
    let mut columns = Columns { row, next: 0 };
    Ok(JobRow {
        id: JobId::from(columns.long("id")?),
        executor: executor(columns.text("executor")?, slots),
        status: columns.text("status")?.parse().map_err(|error| broken("status", error))?,
        data: columns.text("data")?.to_owned(),
        metadata: columns.optional_text("metadata")?,
        attempt: columns.small("attempt")?,
        max_attempts: columns.small("max_attempts")?,
        priority: columns.small("priority")?,
        tags: columns.texts("tags")?,
        errors: errors(&columns.texts("errors")?)?,
        lease: Lease(columns.long("lease")?),
        node: columns.optional_long("node")?.map(NodeId),
        cancel_reason: columns.optional_text("cancel_reason")?,
        unique_key: columns.key("unique_key")?,
        inserted_at: columns.instant("inserted_at")?,
        scheduled_at: columns.instant("scheduled_at")?,
        attempted_at: columns.optional_instant("attempted_at")?,
        completed_at: columns.optional_instant("completed_at")?,
        cancelled_at: columns.optional_instant("cancelled_at")?,
        discarded_at: columns.optional_instant("discarded_at")?,
    })
}

fn executor(name: &str, slots: &[Demand]) -> ExecutorName {
    let known = slots.iter().map(|slots| &slots.executor).find(|executor| executor.as_str() == name);
    known.cloned().unwrap_or_else(|| ExecutorName::from(name.to_owned()))
}

fn errors(stored: &[String]) -> sqlx::Result<Vec<rexecutor::job::JobError>> {
    stored.iter().map(|error| serde_json::from_str(error).map_err(|error| broken("errors", error))).collect()
}

/// The columns of a row, one after the other. Their names are for errors.
struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    fn value(&mut self) -> sqlx::Result<PgValueRef<'r>> {
        self.next += 1;
        self.row.try_get_raw(self.next - 1)
    }

    fn optional_bytes(&mut self, name: &str) -> sqlx::Result<Option<&'r [u8]>> {
        let value = self.value()?;
        match value.is_null() {
            true => Ok(None),
            false => value.as_bytes().map(Some).map_err(|error| broken(name, error)),
        }
    }

    fn bytes(&mut self, name: &str) -> sqlx::Result<&'r [u8]> {
        self.optional_bytes(name)?.ok_or_else(|| broken(name, "it is NULL"))
    }

    fn text(&mut self, name: &str) -> sqlx::Result<&'r str> {
        std::str::from_utf8(self.bytes(name)?).map_err(|error| broken(name, error))
    }

    fn optional_text(&mut self, name: &str) -> sqlx::Result<Option<String>> {
        let bytes = self.optional_bytes(name)?;
        bytes.map(|bytes| str::from_utf8(bytes).map(str::to_owned).map_err(|error| broken(name, error))).transpose()
    }

    fn texts(&mut self, name: &str) -> sqlx::Result<Vec<String>> {
        let value = self.value()?;
        match value.is_null() {
            true => Ok(Vec::new()),
            false => Decode::<Postgres>::decode(value).map_err(|error| broken(name, error)),
        }
    }

    fn long(&mut self, name: &str) -> sqlx::Result<i64> {
        let bytes = self.bytes(name)?.try_into().map_err(|error: TryFromSliceError| broken(name, error))?;
        Ok(i64::from_be_bytes(bytes))
    }

    fn optional_long(&mut self, name: &str) -> sqlx::Result<Option<i64>> {
        let Some(bytes) = self.optional_bytes(name)? else { return Ok(None) };
        let bytes = bytes.try_into().map_err(|error: TryFromSliceError| broken(name, error))?;
        Ok(Some(i64::from_be_bytes(bytes)))
    }

    fn small(&mut self, name: &str) -> sqlx::Result<u16> {
        let bytes = self.bytes(name)?.try_into().map_err(|error: TryFromSliceError| broken(name, error))?;
        u16::try_from(i32::from_be_bytes(bytes)).map_err(|error| broken(name, error))
    }

    fn key(&mut self, name: &str) -> sqlx::Result<Option<UniqueKey>> {
        let Some(bytes) = self.optional_bytes(name)? else { return Ok(None) };
        <[u8; 16]>::try_from(bytes).map(|key| Some(UniqueKey(key))).map_err(|error| broken(name, error))
    }

    fn instant(&mut self, name: &str) -> sqlx::Result<DateTime<Utc>> {
        Stored(self.long(name)?).instant(name)
    }

    fn optional_instant(&mut self, name: &str) -> sqlx::Result<Option<DateTime<Utc>>> {
        self.optional_long(name)?.map(|micros| Stored(micros).instant(name)).transpose()
    }
}

/// An instant as PostgreSQL stores it: microseconds since 2000. Its own range is wider than that of [`DateTime`], which
/// must not panic for it.
struct Stored(i64);

impl Type<Postgres> for Stored {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Stored {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(i64::from_be_bytes(value.as_bytes()?.try_into()?)))
    }
}

impl Stored {
    fn instant(self, column: &str) -> sqlx::Result<DateTime<Utc>> {
        const EPOCH: i64 = 946_684_800_000_000;
        let instant = self.0.checked_add(EPOCH).and_then(DateTime::from_timestamp_micros);
        instant.ok_or_else(|| broken(column, format!("{} microseconds after 2000 is no instant", self.0)))
    }
}

pub(super) fn instant(row: &PgRow, column: &str) -> sqlx::Result<DateTime<Utc>> {
    row.try_get::<Stored, _>(column)?.instant(column)
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
