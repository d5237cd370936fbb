//! What few new jobs have, on its way into the table.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Headers, JobRow, NewJob},
    job::JobStatus,
};
use serde_json::{Value, json as value};

use super::row::micros;

/// What few jobs have, once and for all: of which column it is, and what is stored of a new job and of a row.
macro_rules! extras {
    (|$job:ident, $now:ident| $($column:ident: $type:ty = $of_job:expr, $of_row:expr;)*) => {
        #[derive(PartialEq, Clone, Copy)]
        pub(super) struct Extras<'j> {
            $($column: Option<$type>,)*
        }

        impl<'j> Extras<'j> {
            pub(super) fn of($job: &'j NewJob, $now: DateTime<Utc>) -> Self {
                Self { $($column: $of_job),* }
            }

            pub(super) fn of_row($job: &'j JobRow) -> Self {
                Self { $($column: $of_row),* }
            }

            pub(super) fn are_none(&self) -> bool {
                $(self.$column.is_none())&&*
            }

            /// In the order of the columns.
            pub(super) fn values(&self) -> Vec<Value> {
                vec![$(value!(self.$column)),*]
            }
        }

        const NAMES: &[&str] = &[$(stringify!($column)),*];
    };
}

extras! {
    |job, now|
    status: &'static str = job.blocked.then_some(BLOCKED), (job.status == JobStatus::Blocked).then_some(BLOCKED);
    headers: &'j Headers = Some(&job.headers).filter(|headers| !headers.is_empty()),
        Some(&job.headers).filter(|headers| !headers.is_empty());
    group_key: &'j str = job.group_key.as_deref(), job.group_key.as_deref();
    flow: i64 = job.flow.map(|flow| flow.0), job.flow.map(|flow| flow.0);
    deadline_at: i64 = job.deadline.map(|deadline| micros(deadline.at(now))), job.deadline_at.map(micros);
}

const BLOCKED: &str = JobStatus::Blocked.as_str();

/// `{extra_columns}` in a statement.
pub(super) static COLUMNS: LazyLock<String> = LazyLock::new(|| NAMES.join(", "));

/// `{extra_values}` in a statement: what stands in them for a job that is the JSON array `value`.
pub(super) static VALUES: LazyLock<String> = LazyLock::new(|| {
    let value = |(place, name): (usize, &&str)| match *name {
        "status" => format!("coalesce(value ->> {}, 'scheduled')", PLAIN_VALUES + place),
        _ => format!("value ->> {}", PLAIN_VALUES + place),
    };
    NAMES.iter().enumerate().map(value).collect::<Vec<_>>().join(", ")
});

/// How many values every job has.
pub(super) const PLAIN_VALUES: usize = 9;
