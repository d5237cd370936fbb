//! Conditions on jobs as SQL: the only SQL that is put together at run time.
//!
//! # Invariants
//!
//! - The SQL lets through all jobs that match, and may let through more: [`Filter::matches`] has the last word. Whether two
//!   JSON values are equal is not asked in SQL, which would compare their text.
//! - Values are bound, and every condition stands in parentheses.

use chrono::{DateTime, TimeDelta, Utc};
use rexecutor::{
    backend::{Filter, JobRow},
    job::{JobId, JobStatus},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::row::{self, micros};

/// The most rows that are read at once.
const PAGE: usize = 1000;

/// The first `limit` jobs that match, by number. Rows that cannot be read are left out.
pub(super) async fn query(
    conn: &mut SqliteConnection,
    filter: &Filter,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<JobRow>, sqlx::Error> {
    let mut jobs = Vec::new();
    let mut condition = Condition { now, sql: String::new(), values: Vec::new() };
    condition.write(filter, Exactness::Over);
    let sql = include_str!("queries/query_jobs.sql").replace("{filter}", &condition.sql);
    let mut last = i64::MIN;
    while jobs.len() < limit {
        let page = PAGE.min(limit);
        let mut query = sqlx::query(AssertSqlSafe(sql.as_str())).persistent(false).bind(last);
        for value in &condition.values {
            query = match value {
                Bound::Integer(integer) => query.bind(*integer),
                Bound::Text(text) => query.bind(text.clone()),
            };
        }
        let rows = query.bind(i64::try_from(page).unwrap_or(i64::MAX)).fetch_all(&mut *conn).await?;
        for job in row::read_all(&mut *conn, &rows).await? {
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

/// On which side the SQL may err where it cannot be exact.
#[derive(Debug, Clone, Copy)]
enum Exactness {
    /// It may be true of jobs that do not match.
    Over,
    /// It may be false of jobs that match: what stands under a `not`.
    Under,
}

enum Bound {
    Integer(i64),
    Text(String),
}

struct Condition {
    now: DateTime<Utc>,
    sql: String,
    values: Vec<Bound>,
}

impl Condition {
    fn write(&mut self, filter: &Filter, exactness: Exactness) {
        match (filter, exactness) {
            (Filter::All(filters), _) => self.join(filters, " AND ", "TRUE", exactness),
            (Filter::Any(filters), _) => self.join(filters, " OR ", "FALSE", exactness),
            (Filter::Not(filter), Exactness::Over) => self.not(filter, Exactness::Under),
            (Filter::Not(filter), Exactness::Under) => self.not(filter, Exactness::Over),
            (Filter::Executor(name), _) => self.text("(executor = ?)", name.to_string()),
            (Filter::IdIn(ids), _) => self.ids(ids),
            (Filter::StatusIn(statuses), _) => self.statuses(statuses),
            (Filter::TagsAllOf(tags), _) => self.text(ALL_TAGS, json!(tags).to_string()),
            (Filter::TagsOneOf(tags), _) => self.text(ONE_TAG, json!(tags).to_string()),
            (Filter::ScheduledBefore(at), _) => self.before(Some(*at)),
            (Filter::ScheduledAfter(at), _) => self.integer("(scheduled_at > ?)", micros(*at)),
            (Filter::ScheduledAt(at), _) if is_whole(*at) => self.integer("(scheduled_at = ?)", micros(*at)),
            (Filter::ScheduledAt(_), _) => self.sql.push_str("FALSE"),
            (Filter::ScheduledOlderThan(age), _) => self.before(self.ago(*age)),
            (Filter::ScheduledWithinTheLast(age), _) => match self.ago(*age) {
                Some(at) => self.integer("(scheduled_at > ?)", micros(at)),
                None => self.sql.push_str("TRUE"),
            },
            // Data, metadata, and whatever is newer than this backend.
            (_, Exactness::Over) => self.sql.push_str("TRUE"),
            (_, Exactness::Under) => self.sql.push_str("FALSE"),
        }
    }

    fn join(&mut self, filters: &[Filter], with: &str, none: &str, exactness: Exactness) {
        if filters.is_empty() {
            return self.sql.push_str(none);
        }
        for (i, filter) in filters.iter().enumerate() {
            self.sql.push_str(if i == 0 { "(" } else { with });
            self.write(filter, exactness);
        }
        self.sql.push(')');
    }

    fn not(&mut self, filter: &Filter, exactness: Exactness) {
        self.sql.push_str("(NOT ");
        self.write(filter, exactness);
        self.sql.push(')');
    }

    fn ids(&mut self, ids: &[JobId]) {
        self.text("(id IN (SELECT value FROM json_each(?)))", json!(ids).to_string());
    }

    fn statuses(&mut self, statuses: &[JobStatus]) {
        let statuses = Value::from_iter(statuses.iter().map(|status| status.as_str()));
        self.text("(status IN (SELECT value FROM json_each(?)))", statuses.to_string());
    }

    fn ago(&self, age: TimeDelta) -> Option<DateTime<Utc>> {
        self.now.checked_sub_signed(age)
    }

    fn before(&mut self, at: Option<DateTime<Utc>>) {
        match at {
            Some(at) if is_whole(at) => self.integer("(scheduled_at < ?)", micros(at)),
            Some(at) => self.integer("(scheduled_at <= ?)", micros(at)),
            None => self.sql.push_str("FALSE"),
        }
    }

    fn text(&mut self, sql: &str, text: String) {
        self.sql.push_str(sql);
        self.values.push(Bound::Text(text));
    }

    fn integer(&mut self, sql: &str, integer: i64) {
        self.sql.push_str(sql);
        self.values.push(Bound::Integer(integer));
    }
}

/// Stored times are whole microseconds.
fn is_whole(at: DateTime<Utc>) -> bool {
    at.timestamp_subsec_nanos().is_multiple_of(1000)
}

// Broken tags would be an error of the whole query.
const ONE_TAG: &str = "(json_valid(tags) AND EXISTS (SELECT 1 FROM json_each(iif(json_valid(tags), tags, '[]')) \
    WHERE value IN (SELECT value FROM json_each(?))))";
const ALL_TAGS: &str = "(NOT EXISTS (SELECT 1 FROM json_each(?) AS wanted \
    WHERE wanted.value NOT IN (SELECT value FROM json_each(iif(json_valid(tags), tags, '[]')))))";
