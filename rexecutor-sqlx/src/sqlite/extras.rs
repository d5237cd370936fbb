//! What few new jobs have, on its way into the table.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Extra, Headers},
    job::JobStatus,
};
use serde_json::{Value, json as value};

use super::{queries, row::micros};

/// What few jobs have, once and for all: of which column it is, and what is stored.
macro_rules! extras {
    (|$blocked:ident, $job:ident, $now:ident| $($column:ident: $type:ty = $value:expr;)*) => {
        #[derive(PartialEq, Clone, Copy)]
        pub(super) struct Extras<'j> {
            $($column: Option<$type>,)*
        }

        impl<'j> Extras<'j> {
            pub(super) fn of($blocked: bool, $job: &'j Extra, $now: DateTime<Utc>) -> Self {
                Self { $($column: $value),* }
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
    |blocked, job, now|
    status: &'static str = blocked.then_some(BLOCKED);
    headers: &'j Headers = Some(&job.headers).filter(|headers| !headers.is_empty());
    group_key: &'j str = job.group_key.as_deref();
    flow: i64 = job.flow.map(|flow| flow.0);
    deadline_at: i64 = job.deadline.map(|deadline| micros(deadline.at(now)));
    tick_at: i64 = job.tick_at.map(micros);
}

const BLOCKED: &str = JobStatus::Blocked.as_str();

/// The statement that inserts jobs of which at least one has extras.
pub(super) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let value = |(place, name): (usize, &&str)| match *name {
        "status" => format!(", coalesce(value ->> {}, 'scheduled')", PLAIN_VALUES + place),
        _ => format!(", value ->> {}", PLAIN_VALUES + place),
    };
    let columns: String = NAMES.iter().map(|name| format!(", {name}")).collect();
    let values: String = NAMES.iter().enumerate().map(value).collect();
    queries::insert_jobs().replace("{extra_columns}", &columns).replace("{extra_values}", &values)
});

/// … and for jobs that have none: to look for them would take half as long again.
pub(super) static INSERT_PLAIN: LazyLock<String> =
    LazyLock::new(|| queries::insert_jobs().replace("{extra_columns}", "").replace("{extra_values}", ""));

/// How many values every job has.
pub(super) const PLAIN_VALUES: usize = 9;
