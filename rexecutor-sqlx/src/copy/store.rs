//! What is asked of each database.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::{
    error::Result,
    moving::{Arrived, Moving},
    report::LeftBehind,
    value::{Row, Table, Value},
};
use crate::common::SchemaVersion;

/// One of the two databases.
pub(crate) trait Store: Send + Sync {
    fn state(&self) -> BoxFuture<'_, Result<State>>;

    /// Starts another run of the copies from this database, and fences off those before it. `token` is taken if it was never copied.
    fn begin_source(&self, token: String) -> BoxFuture<'_, Result<Run>>;

    /// … of the copy of a source to this database. `last` are the numbers that the source has given out; `name` is what the target is
    /// called by if it has no name yet.
    fn begin_target<'a>(
        &'a self,
        run: &'a Run,
        is_whole: bool,
        last: Numbers,
        name: String,
    ) -> BoxFuture<'a, Result<Begun>>;

    /// Notes in the source to which target jobs are on their way from now on; whether that is possible: they may be on their way to
    /// another one.
    fn aim<'a>(&'a self, run: &'a Run, target: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// Rows in the order of their keys.
    fn read<'a>(&'a self, table: &'static Table, range: Range<'a>) -> BoxFuture<'a, Result<Page>>;

    /// Stores rows. Those that are there already are replaced, or left as they are.
    fn write<'a>(
        &'a self,
        run: &'a Run,
        table: &'static Table,
        rows: Vec<Row>,
        replace: bool,
    ) -> BoxFuture<'a, Result<()>>;

    /// Deletes the rows with the keys of these.
    fn delete<'a>(&'a self, run: &'a Run, table: &'static Table, rows: Vec<Row>) -> BoxFuture<'a, Result<()>>;

    /// Notes in the source up to which number its jobs are copied as a whole.
    fn finish_source<'a>(&'a self, run: &'a Run, last_job: i64) -> BoxFuture<'a, Result<()>>;

    /// Completes the target: the pause of the whole cluster becomes that of the source, and the numbers follow the source's, unless
    /// jobs were enqueued here meanwhile. Gives how many there are.
    fn finish_target<'a>(&'a self, run: &'a Run, last: Numbers, pause: Option<Row>) -> BoxFuture<'a, Result<u64>>;

    /// Notes in the target that what operators have said in the source has come.
    fn finish_controls<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<()>>;

    /// Takes jobs that wait out of the table, and puts them among those that are on their way.
    fn take<'a>(&'a self, run: &'a Run, wanted: &'a Wanted) -> BoxFuture<'a, Result<Taken>>;

    /// Jobs that are on their way, by number behind this one.
    fn outgoing<'a>(&'a self, run: &'a Run, after: i64, limit: usize) -> BoxFuture<'a, Result<Vec<Moving>>>;

    /// Stores jobs that have come from the source, each once.
    fn arrive<'a>(&'a self, run: &'a Run, jobs: Vec<Moving>) -> BoxFuture<'a, Result<Vec<Arrived>>>;

    /// Forgets in the source that jobs were on their way, because they have arrived.
    fn forget_outgoing<'a>(&'a self, run: &'a Run, jobs: Vec<i64>) -> BoxFuture<'a, Result<()>>;

    /// Forgets in the target that jobs have come, because the source does not know any more that they were on their way. `None`: all.
    fn forget_incoming<'a>(&'a self, run: &'a Run, jobs: Option<Vec<i64>>) -> BoxFuture<'a, Result<()>>;

    /// What waits or runs in the source, and why it was not moved.
    fn left<'a>(&'a self, behind: i64) -> BoxFuture<'a, Result<LeftBehind>>;
}

/// How a database stands.
#[derive(Debug)]
pub(crate) struct State {
    /// Where it is, if that can be told.
    pub(crate) identity: Option<String>,
    pub(crate) version: SchemaVersion,
    pub(crate) now: DateTime<Utc>,
    /// The labels of the nodes that are alive.
    pub(crate) alive: Vec<String>,
    pub(crate) last: Numbers,
    pub(crate) has_jobs: bool,
    pub(crate) copies: Vec<CopyRow>,
    /// How many jobs are on their way to another database.
    pub(crate) outgoing: u64,
}

impl State {
    /// What is known of it as a source.
    pub(crate) fn source(&self) -> Option<&CopyRow> {
        self.copies.iter().find(|copy| copy.is_source)
    }
}

/// What a database knows of a copy.
#[derive(Debug)]
pub(crate) struct CopyRow {
    pub(crate) token: String,
    pub(crate) is_source: bool,
    pub(crate) is_whole: bool,
    pub(crate) is_finished: bool,
    pub(crate) last_job: Option<i64>,
}

/// The numbers that a database has given out last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) jobs: i64,
    pub(crate) nodes: i64,
    pub(crate) flows: i64,
    pub(crate) audit: i64,
}

/// A copy that was started. It changes something only as long as no later run has started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) token: String,
    pub(crate) number: i64,
}

/// What a target knows of a run that begins.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    /// What it is called by.
    pub(crate) target: String,
    /// Whether all of it had come before.
    pub(crate) is_finished: bool,
    /// Up to which number jobs are the source's.
    pub(crate) reserved_to: i64,
}

/// Rows between two keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range<'a> {
    /// Behind this key.
    pub(crate) after: Option<&'a [Value]>,
    /// Up to this one.
    pub(crate) upto: Option<&'a [Value]>,
    /// The most rows; fewer come if they are large.
    pub(crate) limit: usize,
}

/// Some rows.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Vec<Row>,
    /// Whether there are no more in the range.
    pub(crate) is_end: bool,
}

/// Which jobs are to be taken.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Behind this one in the order in which they are looked for.
    pub(crate) after: Option<Place>,
    /// With numbers behind this one, …
    pub(crate) behind: i64,
    /// … and up to this one.
    pub(crate) upto: i64,
    pub(crate) limit: usize,
}

/// Where a job stands in the order in which they are looked for.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) executor: String,
    pub(crate) priority: i64,
    /// In microseconds.
    pub(crate) scheduled_at: i64,
    pub(crate) id: i64,
}

/// What was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) jobs: Vec<Moving>,
    /// The last one; `None`: there are no more.
    pub(crate) last: Option<Place>,
}

/// About how many bytes go into one transaction.
pub(crate) const BYTES: usize = 8 << 20;

/// How many numbers are kept for jobs that are enqueued in the source while it is copied.
pub(crate) const RESERVE: i64 = 100_000;

/// How many numbers a target may give out while it is asked for the last one.
pub(crate) const MARGIN: i64 = 1_000;

/// Why the whole cluster of a target is paused.
pub(crate) const INCOMPLETE: &str =
    "this is an incomplete copy of another database: run `rexecutor copy` again until it is complete";
