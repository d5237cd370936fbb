//! Limits that somebody sets while programs run.
//!
//! They are read where what nodes declare is, and changed as pauses are: whoever changes them commits that, and then outdates every node.

use rexecutor::{
    backend::{ChangedLimits, LimitChange},
    job::ExecutorName,
};
use sqlx::Row;

use super::{backend::Database, control::executor, row};
use crate::common::{RateNumbers, SetNumbers, change_of};

impl Database {
    pub(super) async fn set_limits(&self, name: &ExecutorName, change: Option<LimitChange>) -> sqlx::Result<bool> {
        let mut transaction = self.begin().await?;
        let were_set = match change {
            Some(change) => {
                let SetNumbers { running, per_key, rate, key_rate } = SetNumbers::of(&change.limits);
                let set = self.query(&self.queries.set_limits).bind(self.now()).bind(name.to_string());
                let set = set.bind(running).bind(per_key).bind(rate.jobs).bind(rate.period).bind(rate.interval);
                let set = set.bind(rate.burst).bind(change.by).bind(change.reason).bind(key_rate.jobs);
                let set = set.bind(key_rate.period).bind(key_rate.interval).bind(key_rate.burst);
                set.fetch_one(&mut *transaction).await?.try_get("were_set")?
            }
            None => {
                let reset = self.query(&self.queries.reset_limits).bind(name.to_string());
                reset.execute(&mut *transaction).await?.rows_affected() > 0
            }
        };
        transaction.commit().await?;
        self.outdate_nodes().await?;
        Ok(were_set)
    }

    pub(super) async fn list_limits(&self) -> sqlx::Result<Vec<ChangedLimits>> {
        let mut session = self.session().await?;
        let rows = self.query(&self.queries.list_limits).fetch_all(&mut *session).await?;
        session.end().await?;
        let mut limits = Vec::new();
        for stored in &rows {
            let number = |name: &str| stored.try_get::<Option<i64>, _>(name);
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
            let change = change_of(numbers, stored.try_get("reason")?, stored.try_get("set_by")?);
            limits.push(ChangedLimits::new(executor(stored)?, row::instant(stored, "set_at")?, change));
        }
        Ok(limits)
    }
}
