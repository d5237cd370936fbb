//! What few new jobs have, on its way into the table: one value for all of it, which most jobs do not have.

use std::sync::LazyLock;

use chrono::TimeDelta;
use rexecutor::{
    backend::{Deadline, Marks, NewJob, OnDiscard, in_micros},
    job::JobStatus,
};

use super::enqueue::interval;
use crate::common::Stored;

/// What few jobs have, once and for all: its column, what is sent of it, and what SQL makes of that.
macro_rules! extras {
    (|$job:ident| $($column:ident: $value:expr, $sql:literal;)*) => {
        /// Whether a job has anything that few jobs have.
        pub(super) fn has_extras($job: &NewJob) -> bool {
            ($job.blocked || !$job.extras.is_empty()) && ($($value.is_some())||*)
        }

        /// What few jobs have, as a JSON object; `None` for all others.
        pub(super) fn extras($job: &NewJob) -> Option<String> {
            has_extras($job).then(|| serde_json::json!({ $(stringify!($column): $value),* }).to_string())
        }

        /// `{extra_columns}` in a statement.
        pub(super) static COLUMNS: LazyLock<String> = LazyLock::new(|| [$(stringify!($column)),*].join(", "));

        /// `{extra_values}` in a statement: what stands in them for the job `new`.
        pub(super) static VALUES: LazyLock<String> = LazyLock::new(|| {
            let value = |column: &str, sql: &str| sql.replace("{}", &format!("(new.extras::JSON ->> '{column}')"));
            [$(value(stringify!($column), $sql)),*].join(", ")
        });
    };
}

extras! {
    |job|
    status: job.blocked.then_some(JobStatus::Blocked), "coalesce({}, 'scheduled')";
    group_key: job.extras.group_key.as_ref(), "{}";
    line: job.extras.order.map(OnDiscard::stored), "{}::SMALLINT";
    // A time, or after how many microseconds.
    deadline_at: job.extras.deadline.map(deadline), "CASE
        WHEN {} LIKE '+%' THEN least(
            present.now + {}::BIGINT * INTERVAL '1 microsecond', greatest(present.now, '9999-12-31 00:00:00+00')
        )
        ELSE {}::TIMESTAMPTZ
    END";
    flow: job.extras.flow.map(|flow| flow.0), "{}::BIGINT";
    marks: job.extras.flow.and(Marks::MEMBER.stored()), "{}::INTEGER";
    extras: Stored::of(&job.extras, None).encode(), "{}";
}

fn deadline(deadline: Deadline) -> String {
    match deadline {
        Deadline::At(at) => in_micros(at).to_rfc3339(),
        Deadline::In(delay) => format!("+{}", interval(delay.max(TimeDelta::zero())).microseconds),
    }
}
