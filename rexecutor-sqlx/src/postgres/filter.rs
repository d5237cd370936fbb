//! Conditions as PostgreSQL says them.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rexecutor::backend::Filter;
use sqlx::{AssertSqlSafe, Postgres, postgres::PgArguments, query::Query};

use crate::common::{Bound, Dialect, condition};

struct PostgreSql;

impl Dialect for PostgreSql {
    const ID_IN: &str = "(id = ANY ({}))";
    const STATUS_IN: &str = "(status = ANY ({}))";
    const TAGS_ALL_OF: Option<&str> = None;
    const TAGS_ONE_OF: Option<&str> = None;
    const FINISHED_AT: &str = "finished_at";
    const DATA_CONTAIN: &str = "(strpos(data, {}) > 0)";
    const ERRORS_CONTAIN: &str = "(EXISTS (SELECT FROM unnest(errors) AS error WHERE strpos(error, {}) > 0))";

    fn mark(n: usize) -> String {
        format!("${n}")
    }

    fn can_store(text: &str) -> bool {
        !text.contains('\0')
    }
}

/// The next rows that may match, by number.
pub(super) fn query(
    select: &str,
    filter: &Filter,
    now: DateTime<Utc>,
    after: i64,
    limit: i64,
) -> Query<'static, Postgres, PgArguments> {
    let (sql, values) = filtered(select, filter, now, 2);
    bind(sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(after).bind(limit), values)
}

/// The rows of a walk that may match: behind a number, out of so many rows, at most so many.
pub(super) fn walk(
    select: &str,
    filter: &Filter,
    now: DateTime<Utc>,
    (behind, window, limit): (i64, i64, i64),
) -> Query<'static, Postgres, PgArguments> {
    let (sql, values) = filtered(select, filter, now, 3);
    bind(sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(behind).bind(window).bind(limit), values)
}

/// Says that a row is left out.
pub(super) fn warn(id: i64, error: &sqlx::Error) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(job.id = id, error, "job left out because its row cannot be read");
}

/// A statement with the condition in it, after `before` values, and the values in that.
fn filtered(select: &str, filter: &Filter, now: DateTime<Utc>, before: usize) -> (String, Vec<Bound>) {
    let (condition, values) = condition::<PostgreSql>(filter, now, before);
    // The last one: the schema's name, which comes before it, may contain anything.
    let (before, after_it) = select.rsplit_once("{filter}").unwrap_or((select, ""));
    (format!("{before}{condition}{after_it}"), values)
}

fn bind(query: Query<'static, Postgres, PgArguments>, values: Vec<Bound>) -> Query<'static, Postgres, PgArguments> {
    values.into_iter().fold(query, |query, value| match value {
        // One bound value however long the list is, also when it is empty.
        Bound::Ids(ids) => query.bind(ids.into_iter().map(i64::from).collect::<Vec<_>>()),
        Bound::Statuses(statuses) => query.bind(statuses.iter().map(|status| status.as_str()).collect::<Vec<_>>()),
        Bound::Text(text) => query.bind(text),
        Bound::Texts(texts) => query.bind(texts),
        Bound::Instant(at) => query.bind(storable(at)),
    })
}

/// What PostgreSQL knows: whole microseconds of years that it has.
pub(super) fn storable(at: DateTime<Utc>) -> DateTime<Utc> {
    let year = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
    let at = at.clamp(year(-4_000), year(200_000));
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}
