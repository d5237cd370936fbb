//! Conditions as SQL: the one place where a statement is put together.
//!
//! A condition on JSON is not expressed: it is decided after the rows were read. So the SQL may let through more than
//! the filter does, and must never let through less; under a `NOT` it is the other way round.

use chrono::{DateTime, Utc};
use rexecutor::backend::Filter;
use sqlx::{QueryBuilder, Sqlite};

/// How many rows are read at once.
const BATCH: i64 = 1_000;

/// The next rows that may match, by number.
pub(super) fn query(filter: &Filter, now: DateTime<Utc>, after: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT * FROM rexecutor_jobs WHERE id > ");
    query.push_bind(after).push(" AND ");
    condition(&mut query, filter, now, true);
    query.push(" ORDER BY id LIMIT ").push_bind(BATCH);
    query
}

/// Pushes a condition that holds at least where `filter` does, or, if not `wide`, at most there.
fn condition(query: &mut QueryBuilder<Sqlite>, filter: &Filter, now: DateTime<Utc>, wide: bool) {
    match filter {
        Filter::All(filters) => join(query, filters, now, wide, " AND ", "1"),
        Filter::Any(filters) => join(query, filters, now, wide, " OR ", "0"),
        Filter::Not(filter) => {
            query.push("NOT ");
            condition(query, filter, now, !wide);
        }
        Filter::Executor(name) => {
            query.push("executor = ").push_bind(name.to_string());
        }
        Filter::IdIn(ids) => one_of(query, "id", ids.iter().map(|id| id.as_i64())),
        Filter::StatusIn(statuses) => one_of(query, "status", statuses.iter().map(|status| status.as_str())),
        Filter::ScheduledBefore(at) => compare(query, "<", *at),
        Filter::ScheduledAfter(at) => compare(query, ">", *at),
        Filter::ScheduledAt(at) => compare(query, "=", *at),
        Filter::ScheduledOlderThan(age) => match now.checked_sub_signed(*age) {
            Some(at) => compare(query, "<", at),
            None => drop(query.push("0")),
        },
        Filter::ScheduledWithinTheLast(age) => match now.checked_sub_signed(*age) {
            Some(at) => compare(query, ">", at),
            None => drop(query.push("1")),
        },
        // Data, metadata, tags, and what a later version adds.
        _ => drop(query.push(if wide { "1" } else { "0" })),
    }
}

/// Always in parentheses: `a AND b OR c` would return another executor's jobs.
fn join(query: &mut QueryBuilder<Sqlite>, filters: &[Filter], now: DateTime<Utc>, wide: bool, word: &str, none: &str) {
    if filters.is_empty() {
        query.push(none);
        return;
    }
    for (position, filter) in filters.iter().enumerate() {
        query.push(if position == 0 { "(" } else { word });
        condition(query, filter, now, wide);
    }
    query.push(")");
}

fn one_of<T: Into<serde_json::Value>>(query: &mut QueryBuilder<Sqlite>, column: &str, values: impl Iterator<Item = T>) {
    // One bound value however long the list is, also when it is empty.
    let values = serde_json::Value::from_iter(values.map(Into::into)).to_string();
    query.push(column).push(" IN (SELECT value FROM json_each(").push_bind(values).push("))");
}

/// Rows hold microseconds, and `at` may lie between two of them.
fn compare(query: &mut QueryBuilder<Sqlite>, operator: &str, at: DateTime<Utc>) {
    let (micros, is_between) = (at.timestamp_micros(), at.timestamp_subsec_nanos() % 1_000 != 0);
    match (operator, is_between) {
        ("=", true) => drop(query.push("0")),
        ("<", true) => drop(query.push("scheduled_at <= ").push_bind(micros)),
        _ => drop(query.push("scheduled_at ").push(operator).push(" ").push_bind(micros)),
    }
}
