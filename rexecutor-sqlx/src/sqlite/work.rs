//! One transaction's surroundings.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::Bells,
    job::{ExecutorName, JobId},
};
use sqlx::SqliteConnection;

/// What a step works with, and what it leaves to be done after the commit.
#[derive(Debug)]
pub(super) struct Work<'c> {
    /// The connection, inside a transaction that holds the write lock.
    pub(super) conn: &'c mut SqliteConnection,
    /// The present: read once, under the lock, so that it does not run backwards from one transaction to the next.
    pub(super) now: DateTime<Utc>,
    /// Whose jobs may have become due.
    pub(super) due: BTreeSet<ExecutorName>,
    /// The job that is to stop.
    pub(super) cancelled: Option<JobId>,
}

impl<'c> Work<'c> {
    pub(super) fn new(conn: &'c mut SqliteConnection, now: DateTime<Utc>) -> Self {
        Self { conn, now, due: BTreeSet::new(), cancelled: None }
    }
}

/// Tells the nodes of this process what a committed transaction has changed.
pub(super) fn ring(bells: &Bells, due: &BTreeSet<ExecutorName>, cancelled: Option<JobId>) {
    bells.each(|bell| {
        due.iter().for_each(|executor| bell.ring(executor));
        if let Some(job) = cancelled {
            bell.cancel(job);
        }
    });
}
