//! Conditions on jobs as SQL: the one place where a statement is put together.
//!
//! # Invariants
//!
//! - The SQL lets through all jobs that match, and may let through more: [`Filter::matches`] has the last word. Under a `NOT`
//!   it is the other way round. Whether two JSON values are equal is not asked in SQL: JSON has no one way of being written.
//! - Values are bound, but for the bits of marks, and every condition stands in parentheses.

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{Filter, ago},
    job::{JobId, JobStatus},
};

/// How a database says what a filter asks; `None`, where it does not.
pub(crate) trait Dialect {
    /// It is one of these jobs.
    const ID_IN: &str;
    /// The status is one of these.
    const STATUS_IN: &str;
    /// It has all of these tags.
    const TAGS_ALL_OF: Option<&str>;
    /// It has one of these tags at least.
    const TAGS_ONE_OF: Option<&str>;

    /// When it finished; NULL, if it has not.
    const FINISHED_AT: &str;
    /// The data have this text in them.
    const DATA_CONTAIN: &str;
    /// One of its errors has this text in it, in the type or in the details, both of which are written here as they are in JSON;
    /// or it has that in another place.
    const ERRORS_CONTAIN: &str;

    /// The mark of the `n`-th value, counted from 1.
    fn mark(n: usize) -> String;

    /// Whether a text can be the name of a stored executor at all.
    fn can_store(text: &str) -> bool;
}

/// A value that is bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    Ids(Vec<JobId>),
    Statuses(Vec<JobStatus>),
    Text(String),
    Texts(Vec<String>),
    Instant(DateTime<Utc>),
}

/// The condition, after `before` values, and the values in it.
pub(crate) fn condition<D: Dialect>(filter: &Filter, now: DateTime<Utc>, before: usize) -> (String, Vec<Bound>) {
    let mut condition = Condition { now, before, sql: String::new(), values: Vec::new() };
    condition.write::<D>(filter, Side::Over);
    (condition.sql, condition.values)
}

/// On which side the SQL may err where it cannot be exact.
#[derive(Debug, Clone, Copy)]
enum Side {
    /// It may be true of jobs that do not match.
    Over,
    /// It may be false of jobs that match: what stands under a `NOT`.
    Under,
}

struct Condition {
    now: DateTime<Utc>,
    before: usize,
    sql: String,
    values: Vec<Bound>,
}

impl Condition {
    fn write<D: Dialect>(&mut self, filter: &Filter, side: Side) {
        match filter {
            Filter::All(filters) => self.join::<D>(filters, " AND ", "TRUE", side),
            Filter::Any(filters) => self.join::<D>(filters, " OR ", "FALSE", side),
            Filter::Not(filter) => {
                self.sql.push_str("(NOT ");
                self.write::<D>(filter, if let Side::Over = side { Side::Under } else { Side::Over });
                self.sql.push(')');
            }
            Filter::Executor(name) if D::can_store(name.as_str()) => {
                self.bind::<D>("(executor = {})", Bound::Text(name.to_string()));
            }
            Filter::Executor(_) => self.sql.push_str("FALSE"),
            Filter::IdIn(ids) => self.bind::<D>(D::ID_IN, Bound::Ids(ids.clone())),
            Filter::StatusIn(statuses) => self.bind::<D>(D::STATUS_IN, Bound::Statuses(statuses.clone())),
            Filter::Marked(marks) => {
                let bits = marks.stored().unwrap_or_default().cast_signed();
                self.sql.push_str(&format!("((coalesce(marks, 0) & {bits}) <> 0)"));
            }
            Filter::HaltsLine => self.sql.push_str("(status = 'discarded' AND coalesce(line, 0) <> 0)"),
            Filter::TagsAllOf(tags) => self.tags::<D>(D::TAGS_ALL_OF, tags, side),
            Filter::TagsOneOf(tags) => self.tags::<D>(D::TAGS_ONE_OF, tags, side),
            Filter::ScheduledBefore(at) => self.earlier::<D>("scheduled_at", *at),
            Filter::ScheduledAfter(at) => self.bind::<D>("(scheduled_at > {})", Bound::Instant(*at)),
            Filter::ScheduledAt(at) if is_whole(*at) => self.bind::<D>("(scheduled_at = {})", Bound::Instant(*at)),
            Filter::ScheduledAt(_) => self.sql.push_str("FALSE"),
            Filter::ScheduledOlderThan(age) => self.earlier::<D>("scheduled_at", ago(self.now, *age)),
            Filter::ScheduledWithinTheLast(age) => {
                self.bind::<D>("(scheduled_at > {})", Bound::Instant(ago(self.now, *age)));
            }
            Filter::InsertedBefore(at) => self.earlier::<D>("inserted_at", *at),
            Filter::InsertedAfter(at) => self.bind::<D>("(inserted_at > {})", Bound::Instant(*at)),
            // NULL would be neither true nor, under a NOT, false.
            Filter::FinishedBefore(at) => {
                self.finished::<D>();
                self.earlier::<D>(D::FINISHED_AT, *at);
                self.sql.push(')');
            }
            Filter::FinishedAfter(at) => {
                self.finished::<D>();
                self.bind::<D>(&format!("({} > {{}})", D::FINISHED_AT), Bound::Instant(*at));
                self.sql.push(')');
            }
            Filter::Priority(priority) => self.sql.push_str(&format!("(priority = {priority})")),
            Filter::Node(node) => self.sql.push_str(&format!("(coalesce(node, 0) = {} AND node IS NOT NULL)", node.0)),
            Filter::DataContains(text) if D::can_store(text) => {
                self.bind::<D>(D::DATA_CONTAIN, Bound::Text(text.clone()));
            }
            Filter::DataContains(_) => self.sql.push_str("FALSE"),
            Filter::ErrorContains(text) if D::can_store(text) && is_plain(text) => match side {
                Side::Over => self.bind::<D>(D::ERRORS_CONTAIN, Bound::Text(text.clone())),
                Side::Under => self.unknown(side),
            },
            Filter::ErrorContains(_) => self.unknown(side),
            // And whatever is newer than this crate.
            Filter::Data(_) | Filter::Metadata(_) | _ => self.unknown(side),
        }
    }

    /// Always in parentheses: `a AND b OR c` would return another executor's jobs.
    fn join<D: Dialect>(&mut self, filters: &[Filter], with: &str, none: &str, side: Side) {
        if filters.is_empty() {
            return self.sql.push_str(none);
        }
        self.balanced::<D>(filters, with, side);
    }

    /// In halves of halves: SQLite takes a chain of a thousand for an expression that is a thousand levels deep, and refuses it.
    fn balanced<D: Dialect>(&mut self, filters: &[Filter], with: &str, side: Side) {
        if let [filter] = filters {
            return self.write::<D>(filter, side);
        }
        let (first, second) = filters.split_at(filters.len() / 2);
        self.sql.push('(');
        self.balanced::<D>(first, with, side);
        self.sql.push_str(with);
        self.balanced::<D>(second, with, side);
        self.sql.push(')');
    }

    fn tags<D: Dialect>(&mut self, sql: Option<&str>, tags: &[String], side: Side) {
        match sql {
            Some(sql) => self.bind::<D>(sql, Bound::Texts(tags.to_vec())),
            None => self.unknown(side),
        }
    }

    /// Stored times are whole microseconds, and `at` may lie between two of them.
    fn earlier<D: Dialect>(&mut self, column: &str, at: DateTime<Utc>) {
        let than = if is_whole(at) { "<" } else { "<=" };
        self.bind::<D>(&format!("({column} {than} {{}})"), Bound::Instant(at));
    }

    fn finished<D: Dialect>(&mut self) {
        self.sql.push_str(&format!("({} IS NOT NULL AND ", D::FINISHED_AT));
    }

    fn unknown(&mut self, side: Side) {
        self.sql.push_str(match side {
            Side::Over => "TRUE",
            Side::Under => "FALSE",
        });
    }

    fn bind<D: Dialect>(&mut self, sql: &str, value: Bound) {
        self.values.push(value);
        self.sql.push_str(&sql.replace("{}", &D::mark(self.before + self.values.len())));
    }
}

/// Whether a text is written in JSON as it is.
fn is_plain(text: &str) -> bool {
    !text.contains(|character: char| character.is_control() || matches!(character, '"' | '\\'))
}

fn is_whole(at: DateTime<Utc>) -> bool {
    at.timestamp_subsec_nanos().is_multiple_of(1_000)
}
