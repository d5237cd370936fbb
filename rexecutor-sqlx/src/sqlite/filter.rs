//! Conditions as SQLite says them, and the queries that they are a part of.

use chrono::{DateTime, Utc};
use rexecutor::backend::{Filter, JobRow};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{queries, read, row::micros, script::json};
use crate::common::{Bound, Dialect, condition};

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

    fn mark(n: usize) -> String {
        format!("?{n}")
    }

    fn can_store(_: &str) -> bool {
        true
    }
}

/// The first `limit` jobs that match, by number. Rows that cannot be read are left out.
pub(super) async fn query(
    conn: &mut SqliteConnection,
    filter: &Filter,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<JobRow>, sqlx::Error> {
    let mut jobs = Vec::new();
    let (condition, values) = condition::<SqliteSql>(filter, now, 2);
    let sql = queries::query_jobs().replace("{filter}", &condition);
    let mut last = i64::MIN;
    while jobs.len() < limit {
        let page = PAGE.min(limit);
        let query = sqlx::query(AssertSqlSafe(sql.as_str())).persistent(false).bind(last);
        let mut query = query.bind(i64::try_from(page).unwrap_or(i64::MAX));
        for value in &values {
            query = match value {
                Bound::Ids(ids) => query.bind(json(ids)?),
                Bound::Statuses(statuses) => query.bind(json(statuses)?),
                Bound::Text(text) => query.bind(text.clone()),
                Bound::Texts(texts) => query.bind(json(texts)?),
                Bound::Instant(at) => query.bind(micros(*at)),
            };
        }
        let rows = query.fetch_all(&mut *conn).await?;
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
                    let problem = &*unreadable.problem as &dyn std::error::Error;
                    tracing::warn!(job.id = %unreadable.id, error = problem, "job left out because its row cannot be read");
                }
            }
        }
        if rows.len() < page {
            break;
        }
    }
    Ok(jobs)
}
