//! Limits that somebody sets while programs run.

use rexecutor::{
    backend::{ChangedLimits, LimitChange},
    job::ExecutorName,
};
use sqlx::Row;

use super::{
    control::outdate_nodes,
    queries,
    row::{instant_of, micros},
    work::Work,
};
use crate::common::{RateNumbers, SetNumbers, change_of};

/// Returns whether any were set before.
pub(super) async fn set(
    work: &mut Work<'_>,
    executor: ExecutorName,
    change: Option<LimitChange>,
) -> Result<bool, sqlx::Error> {
    work.open().await?;
    let reset = sqlx::query(queries::reset_limits()).bind(executor.to_string());
    let were_set = reset.execute(&mut *work.conn).await?.rows_affected() > 0;
    if let Some(change) = change {
        let SetNumbers { running, per_key, rate, key_rate } = SetNumbers::of(&change.limits);
        let set = sqlx::query(queries::set_limits()).bind(executor.to_string()).bind(micros(work.now));
        let set = set.bind(running).bind(per_key).bind(rate.jobs).bind(rate.period).bind(rate.interval);
        let set = set.bind(rate.burst).bind(change.by).bind(change.reason).bind(key_rate.jobs);
        set.bind(key_rate.period).bind(key_rate.interval).bind(key_rate.burst).execute(&mut *work.conn).await?;
    }
    outdate_nodes(work).await?;
    work.due.insert(executor);
    Ok(were_set)
}

pub(super) async fn list(work: &mut Work<'_>) -> Result<Vec<ChangedLimits>, sqlx::Error> {
    work.open().await?;
    let mut limits = Vec::new();
    for row in &sqlx::query(queries::list_limits()).fetch_all(&mut *work.conn).await? {
        let number = |name: &str| row.try_get::<Option<i64>, _>(name);
        let rate = |name: &str| {
            Ok::<_, sqlx::Error>(RateNumbers {
                jobs: number(&format!("{name}_jobs"))?,
                period: number(&format!("{name}_period"))?,
                interval: None,
                burst: number(&format!("{name}_burst"))?,
            })
        };
        let numbers = SetNumbers {
            running: number("max_running")?,
            per_key: number("max_per_key")?,
            rate: rate("rate")?,
            key_rate: rate("key_rate")?,
        };
        let change = change_of(numbers, row.try_get("reason")?, row.try_get("set_by")?);
        let since = instant_of(row.try_get("set_at")?, "set_at").map_err(sqlx::Error::Decode)?;
        limits.push(ChangedLimits::new(row.try_get::<String, _>("executor")?.into(), since, change));
    }
    Ok(limits)
}
