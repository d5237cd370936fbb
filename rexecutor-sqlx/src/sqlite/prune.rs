//! Deleting finished jobs.

use rexecutor::{
    backend::Result,
    pruner::{PruneRule, PruneSpec},
};

use super::{backend::Database, core::Commit, queries, row::micros, script::json, work::Work};
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
            let deleted = prune.execute(&mut *work.conn).await?.rows_affected();
            Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
        };
        self.writer.write(Commit::Progress, step).await
    }
}
