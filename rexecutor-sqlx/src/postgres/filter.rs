//! Conditions as SQL: the one place where a statement is put together.
//!
//! A condition on JSON is not expressed: it is decided after the rows were read. So the SQL may let through more than
//! the filter does, and must never let through less; under a `NOT` it is the other way round.

use chrono::{DateTime, NaiveDate, Utc};
use rexecutor::backend::Filter;
use sqlx::{Postgres, QueryBuilder};

/// The next rows that may match, by number.
pub(super) fn query(
    select: &str,
    filter: &Filter,
    now: DateTime<Utc>,
    after: i64,
    limit: i64,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(select);
    query.push_bind(after).push(" AND ");
    condition(&mut query, filter, now, true);
    query.push(" ORDER BY id LIMIT ").push_bind(limit);
    query
}

/// Pushes a condition that holds at least where `filter` does, or, if not `wide`, at most there.
fn condition(query: &mut QueryBuilder<Postgres>, filter: &Filter, now: DateTime<Utc>, wide: bool) {
    match filter {
        Filter::All(filters) => join(query, filters, now, wide, " AND ", "TRUE"),
        Filter::Any(filters) => join(query, filters, now, wide, " OR ", "FALSE"),
        Filter::Not(filter) => {
            query.push("NOT ");
            condition(query, filter, now, !wide);
        }
        Filter::Executor(name) if name.as_str().contains('\0') => drop(query.push("FALSE")),
        Filter::Executor(name) => drop(query.push("executor = ").push_bind(name.to_string())),
        // One bound value however long the list is, also when it is empty.
        Filter::IdIn(ids) => {
            let ids: Vec<i64> = ids.iter().map(|id| id.as_i64()).collect();
            query.push("id = ANY (").push_bind(ids).push(")");
        }
        Filter::StatusIn(statuses) => {
            let statuses: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
            query.push("status = ANY (").push_bind(statuses).push(")");
        }
        Filter::ScheduledBefore(at) => compare(query, "<", *at),
        Filter::ScheduledAfter(at) => compare(query, ">", *at),
        Filter::ScheduledAt(at) => compare(query, "=", *at),
        Filter::ScheduledOlderThan(age) => match now.checked_sub_signed(*age) {
            Some(at) => compare(query, "<", at),
            None => drop(query.push("FALSE")),
        },
        Filter::ScheduledWithinTheLast(age) => match now.checked_sub_signed(*age) {
            Some(at) => compare(query, ">", at),
            None => drop(query.push("TRUE")),
        },
        // Data, metadata, tags, and what a later version adds.
        _ => drop(query.push(if wide { "TRUE" } else { "FALSE" })),
    }
}

/// Always in parentheses: `a AND b OR c` would return another executor's jobs.
fn join(
    query: &mut QueryBuilder<Postgres>,
    filters: &[Filter],
    now: DateTime<Utc>,
    wide: bool,
    word: &str,
    none: &str,
) {
    if filters.is_empty() {
        query.push(none);
        return;
    }
    for (nth, filter) in filters.iter().enumerate() {
        query.push(if nth == 0 { "(" } else { word });
        condition(query, filter, now, wide);
    }
    query.push(")");
}

/// Rows hold microseconds, and `at` may lie between two of them, or beyond what PostgreSQL knows.
fn compare(query: &mut QueryBuilder<Postgres>, operator: &str, at: DateTime<Utc>) {
    let year =
        |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN).and_utc();
    let at = at.clamp(year(-4_000), year(200_000));
    let is_between = at.timestamp_subsec_nanos() % 1_000 != 0;
    let micros = DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at);
    match (operator, is_between) {
        ("=", true) => drop(query.push("FALSE")),
        ("<", true) => drop(query.push("scheduled_at <= ").push_bind(micros)),
        _ => drop(query.push("scheduled_at ").push(operator).push(" ").push_bind(micros)),
    }
}
