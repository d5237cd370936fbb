//! Circuit breakers: what ends of runs say to them, and what claims keep to.

use std::collections::BTreeMap;

use rexecutor::{
    backend::breaker::{Breaker, HeldByBreaker},
    job::{ExecutorName, JobId},
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    control, queries,
    row::{instant_of, micros},
    script::json,
    work::Work,
};
use crate::common::{BreakerColumns, Heard, heed};

/// Takes in what ends of runs say about their executors; what has become of the breakers is told after the commit.
pub(super) async fn take_in(work: &mut Work<'_>, heard: &Heard<'_>) -> Result<(), sqlx::Error> {
    if heard.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = heard.iter().map(|(executor, ..)| executor.as_str()).collect();
    let find = sqlx::query(queries::find_breakers()).bind(json(&names)?);
    let mut breakers = BTreeMap::<ExecutorName, Breaker>::new();
    for row in &find.fetch_all(&mut *work.conn).await? {
        let executor = ExecutorName::from(row.try_get::<String, _>("executor")?);
        breakers.insert(executor, columns(row, row.try_get("failures")?)?.breaker());
    }
    let notices = heed(&mut breakers, heard, work.now);
    for (executor, breaker) in &breakers {
        let row = BreakerColumns::of(breaker);
        let store = sqlx::query(queries::store_breaker()).bind(executor.to_string()).bind(row.failures);
        let store = store.bind(row.opened_at.map(micros)).bind(row.open_until.map(micros));
        store.bind(row.pause).bind(row.reason).execute(&mut *work.conn).await?;
    }
    if notices.iter().any(rexecutor::backend::breaker::BreakerNotice::outdates) {
        control::outdate_nodes(work).await?;
    }
    work.due.extend(notices.iter().filter(|notice| notice.wakes()).map(|notice| notice.executor.clone()));
    work.breakers.extend(notices);
    Ok(())
}

/// Closes the breaker of an executor by hand; returns whether it was open.
pub(super) async fn close(work: &mut Work<'_>, executor: &str) -> Result<bool, sqlx::Error> {
    let close = sqlx::query_scalar(queries::close_breaker()).bind(executor);
    Ok(close.fetch_optional(&mut *work.conn).await? == Some(true))
}

/// Marks the claimed jobs that open breakers have let through.
pub(super) async fn mark_trials(work: &mut Work<'_>, trials: &[JobId]) -> Result<(), sqlx::Error> {
    if trials.is_empty() {
        return Ok(());
    }
    sqlx::query(queries::mark_trials()).bind(json(&trials)?).execute(&mut *work.conn).await.map(drop)
}

/// How the breaker of an executor is open, in a row of what is stored about it.
pub(super) fn held(row: &SqliteRow) -> Result<Option<HeldByBreaker>, sqlx::Error> {
    let open = columns(row, String::new())?.open();
    let is_tried: bool = row.try_get("is_tried")?;
    Ok(open.map(|open| HeldByBreaker::new(open, is_tried)))
}

fn columns(row: &SqliteRow, failures: String) -> Result<BreakerColumns, sqlx::Error> {
    // What somebody else wrote must not keep the other executors from being claimed from.
    let instant = |column: &'static str| {
        let stored = row.try_get::<Option<i64>, _>(column)?;
        Ok::<_, sqlx::Error>(stored.and_then(|micros| instant_of(micros, column).ok()))
    };
    Ok(BreakerColumns {
        failures,
        opened_at: instant("opened_at")?,
        open_until: instant("open_until")?,
        pause: row.try_get("pause")?,
        reason: row.try_get("reason")?,
    })
}
