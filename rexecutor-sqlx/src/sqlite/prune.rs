//! Deleting finished jobs.

use std::collections::BTreeSet;

use rexecutor::{
    backend::Result,
    job::JobId,
    pruner::{PruneRule, PruneSpec},
};
use sqlx::Row;

use super::{backend::Database, core::Commit, flows, queries, row::micros, script::json, steps, work::Work};
use crate::common::{Meant, unknown};

impl Database {
    /// Deletes finished jobs that match, oldest first, at most `limit`; returns how many.
    pub(super) async fn prune(&self, spec: &PruneSpec, limit: usize) -> Result<usize> {
        let (Meant { executors, are_meant }, rule) = (Meant::by(&spec.executors)?, spec.rule);
        let sql = match rule {
            PruneRule::MaxAge(_) => queries::prune_by_age(),
            PruneRule::MaxLength(_) => queries::prune_by_length(),
            rule => return Err(unknown("rule", &rule)),
        };
        let status = spec.status.as_str();
        let step = async move |work: &mut Work<'_>| {
            let bound = match rule {
                PruneRule::MaxAge(age) => work.now.checked_sub_signed(age).map(micros),
                PruneRule::MaxLength(length) => Some(i64::from(length)),
                _ => None,
            };
            // None is that old.
            let Some(bound) = bound else { return Ok(0) };
            let prune = sqlx::query(sql).bind(status).bind(json(&executors)?).bind(are_meant).bind(bound);
            let prune = prune.bind(i64::try_from(limit).unwrap_or(i64::MAX));
            let deleted = prune.fetch_all(&mut *work.conn).await?;
            let with_steps = deleted.iter().filter_map(|row| row.try_get::<Option<i64>, _>("with_steps").transpose());
            let with_steps = with_steps.map(|id| id.map(JobId::from)).collect::<Result<Vec<_>, _>>()?;
            steps::delete(work, &with_steps).await?;
            let flows = deleted.iter().filter_map(|row| row.try_get::<Option<i64>, _>("flow").transpose());
            flows::forget(work, flows.collect::<Result<BTreeSet<i64>, _>>()?).await?;
            Ok(deleted.len())
        };
        self.writer.write(Commit::Progress, step).await
    }
}
