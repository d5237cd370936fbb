//! Conditions as SQLite says them, and the queries that they are a part of.

use chrono::{DateTime, Utc};
use rexecutor::backend::{Filter, JobRow};
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::{
    queries, read,
    row::{Unreadable, micros},
    script::json,
};
use crate::common::{self, Bound, Dialect};

/// The most rows that are read at once.
const PAGE: usize = 1000;

struct SqliteSql;

// Broken tags would be an error of the whole query.
impl Dialect for SqliteSql {
    const ID_IN: &str = "(id IN (SELECT value FROM json_each({})))";
    const STATUS_IN: &str = "(status IN (SELECT value FROM json_each({})))";
    const TAGS_ALL_OF: Option<&str> = Some(
        "(NOT EXISTS (SELECT 1 FROM json_each({}) AS wanted WHERE wanted.value NOT IN \
        (SELECT value FROM json_each(iif(json_valid(tags), tags, '[]')))))",
    );
    const TAGS_ONE_OF: Option<&str> = Some(
        "(json_valid(tags) AND EXISTS (SELECT 1 FROM json_each(iif(json_valid(tags), tags, '[]')) \
        WHERE value IN (SELECT value FROM json_each({}))))",
    );
    const FINISHED_AT: &str = "finished_at";
    const DATA_CONTAIN: &str = "(instr(data, {}) > 0)";
    const ERRORS_CONTAIN: &str = "(EXISTS (SELECT 1 FROM rexecutor_job_errors AS error WHERE error.job = rexecutor_jobs.id \
        AND instr(error.error_type || char(10) || error.details, {}) > 0))";

    fn mark(n: usize) -> String {
        format!("?{n}")
    }

    fn can_store(_: &str) -> bool {
        true
    }
}

/// The condition, after `before` values, and the values in it.
pub(super) fn condition(filter: &Filter, now: DateTime<Utc>, before: usize) -> (String, Vec<Bound>) {
    common::condition::<SqliteSql>(filter, now, before)
}

/// Adds the values of a condition.
pub(super) fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    values: &[Bound],
) -> Result<Query<'q, Sqlite, SqliteArguments>, sqlx::Error> {
    values.iter().try_fold(query, |query, value| {
        Ok(match value {
            Bound::Ids(ids) => query.bind(json(ids)?),
            Bound::Statuses(statuses) => query.bind(json(statuses)?),
            Bound::Text(text) => query.bind(text.clone()),
            Bound::Texts(texts) => query.bind(json(texts)?),
            Bound::Instant(at) => query.bind(micros(*at)),
        })
    })
}

/// Says that a row is left out.
pub(super) fn warn(unreadable: &Unreadable) {
    let problem = &*unreadable.problem as &dyn std::error::Error;
    tracing::warn!(job.id = %unreadable.id, error = problem, "job left out because its row cannot be read");
}

/// The first `limit` jobs that match, by number. Rows that cannot be read are left out.
pub(super) async fn query(
    conn: &mut SqliteConnection,
    filter: &Filter,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<JobRow>, sqlx::Error> {
    let mut jobs = Vec::new();
    let (condition, values) = condition(filter, now, 2);
    let sql = queries::query_jobs().replace("{filter}", &condition);
    let mut last = i64::MIN;
    while jobs.len() < limit {
        let page = PAGE.min(limit);
        let query = sqlx::query(AssertSqlSafe(sql.as_str())).persistent(false).bind(last);
        let query = query.bind(i64::try_from(page).unwrap_or(i64::MAX));
        let rows = bind(query, &values)?.fetch_all(&mut *conn).await?;
        for job in read::read_all(&mut *conn, &rows).await? {
            match job {
                Ok(job) => {
                    last = job.id.into();
                    if filter.matches(&job, now) && jobs.len() < limit {
                        jobs.push(job);
                    }
                }
                Err(unreadable) => {
                    last = unreadable.id.into();
                    warn(&unreadable);
                }
            }
        }
        if rows.len() < page {
            break;
        }
    }
    Ok(jobs)
}
