//! Deleting finished jobs.

use rexecutor::{
    backend::Result,
    pruner::{PruneRule, PruneSpec},
};
use sqlx::Row;

use super::{backend::Database, enqueue::age};
use crate::common::{Meant, unknown};

impl Database {
    /// Deletes finished jobs that match, oldest first, at most `limit`; returns how many.
    pub(super) async fn prune(&self, spec: &PruneSpec, limit: usize) -> Result<usize> {
        let Meant { executors, are_meant } = Meant::by(&spec.executors)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let status = spec.status.as_str();
        let query = match spec.rule {
            PruneRule::MaxAge(max_age) => {
                let query = self.query(&self.queries.prune_by_age).bind(self.now()).bind(status);
                query.bind(executors).bind(are_meant).bind(age(max_age)).bind(limit)
            }
            PruneRule::MaxLength(length) => {
                let query = self.query(&self.queries.prune_by_length).bind(status).bind(executors);
                query.bind(are_meant).bind(i64::from(length)).bind(limit)
            }
            rule => return Err(unknown("rule", &rule)),
        };
        let work = async {
            let mut transaction = self.begin().await?;
            let pruned = query.fetch_one(&mut *transaction).await?;
            let with_steps: Option<Vec<i64>> = pruned.try_get("with_steps")?;
            self.delete_steps(&mut transaction, with_steps.unwrap_or_default()).await?;
            let flows: Option<Vec<i64>> = pruned.try_get("flows")?;
            self.forget_flows(&mut transaction, flows.unwrap_or_default()).await?;
            transaction.commit().await?;
            Ok(usize::try_from(pruned.try_get::<i64, _>("jobs")?).unwrap_or_default())
        };
        self.limited("could not prune jobs", work).await
    }
}
