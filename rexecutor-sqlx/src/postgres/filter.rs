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
    let (condition, values) = condition::<PostgreSql>(filter, now, 2);
    // The last one: the schema's name, which comes before it, may contain anything.
    let (before, after_it) = select.rsplit_once("{filter}").unwrap_or((select, ""));
    let query = sqlx::query(AssertSqlSafe(format!("{before}{condition}{after_it}"))).persistent(false);
    values.into_iter().fold(query.bind(after).bind(limit), |query, value| match value {
        // One bound value however long the list is, also when it is empty.
        Bound::Ids(ids) => query.bind(ids.into_iter().map(i64::from).collect::<Vec<_>>()),
        Bound::Statuses(statuses) => query.bind(statuses.iter().map(|status| status.as_str()).collect::<Vec<_>>()),
        Bound::Text(text) => query.bind(text),
        Bound::Texts(texts) => query.bind(texts),
        Bound::Instant(at) => query.bind(storable(at)),
    })
}

/// What PostgreSQL knows: whole microseconds of years that it has.
fn storable(at: DateTime<Utc>) -> DateTime<Utc> {
    let year = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
    let at = at.clamp(year(-4_000), year(200_000));
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}
