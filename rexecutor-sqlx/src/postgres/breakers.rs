//! Circuit breakers: what ends of runs say to them, and what claims keep to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::breaker::{Breaker, BreakerNotice, HeldByBreaker},
    job::{ExecutorName, JobId},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{backend::Database, control::executor, row};
use crate::common::{BreakerColumns, Heard, heed};

impl Database {
    /// Takes in what ends of runs say about their executors, under the locks of the breakers; what has become of these is told
    /// after the commit.
    pub(super) async fn heed(
        &self,
        connection: &mut PgConnection,
        heard: &Heard<'_>,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Vec<BreakerNotice>> {
        if heard.is_empty() {
            return Ok(Vec::new());
        }
        let mut names: Vec<String> = heard.iter().map(|(executor, ..)| executor.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        let locked = self.query(&self.queries.lock_breakers).bind(names).fetch_all(&mut *connection).await?;
        let breaker = |row: &PgRow| Ok((executor(row)?, columns(row, row.try_get("failures")?)?.breaker()));
        let mut breakers: BTreeMap<ExecutorName, Breaker> = locked.iter().map(breaker).collect::<sqlx::Result<_>>()?;
        let notices = heed(&mut breakers, heard, now);
        let names: Vec<String> = breakers.keys().map(ToString::to_string).collect();
        let rows: Vec<BreakerColumns> = breakers.values().map(BreakerColumns::of).collect();
        let store = self.query(&self.queries.store_breakers).bind(names);
        let store = store.bind(rows.iter().map(|row| row.failures.clone()).collect::<Vec<_>>());
        let store = store.bind(rows.iter().map(|row| row.opened_at).collect::<Vec<_>>());
        let store = store.bind(rows.iter().map(|row| row.open_until).collect::<Vec<_>>());
        let store = store.bind(rows.iter().map(|row| row.pause).collect::<Vec<_>>());
        let store = store.bind(rows.into_iter().map(|row| row.reason).collect::<Vec<_>>());
        store.execute(connection).await?;
        Ok(notices)
    }

    /// Closes the breaker of an executor by hand; returns whether it was open.
    pub(super) async fn close_breaker(
        &self,
        connection: &mut PgConnection,
        executor: &ExecutorName,
    ) -> sqlx::Result<bool> {
        let close = self.query(&self.queries.close_breaker).bind(executor.to_string());
        close.fetch_one(connection).await?.try_get("was_open")
    }

    /// Marks the claimed jobs that open breakers have let through.
    pub(super) async fn mark_trials(&self, connection: &mut PgConnection, trials: Vec<JobId>) -> sqlx::Result<()> {
        if trials.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = trials.into_iter().map(JobId::as_i64).collect();
        self.query(&self.queries.mark_trials).bind(ids).execute(connection).await.map(drop)
    }
}

/// How the breaker of an executor is open, in a row of what is stored about it.
pub(super) fn held(row: &PgRow) -> sqlx::Result<Option<HeldByBreaker>> {
    let open = columns(row, String::new())?.open();
    let is_tried: bool = row.try_get("is_tried")?;
    Ok(open.map(|open| HeldByBreaker::new(open, is_tried)))
}

fn columns(row: &PgRow, failures: String) -> sqlx::Result<BreakerColumns> {
    Ok(BreakerColumns {
        failures,
        // What somebody else wrote must not keep the other executors from being claimed from.
        opened_at: row::optional_instant(row, "opened_at").unwrap_or_default(),
        open_until: row::optional_instant(row, "open_until").unwrap_or_default(),
        pause: row.try_get("pause")?,
        reason: row.try_get("reason")?,
    })
}
