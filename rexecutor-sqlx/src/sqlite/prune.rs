//! Deleting finished jobs.

use rexecutor::{
    job::ExecutorName,
    pruner::{PruneRule, PruneScope, PruneSpec},
};
use serde_json::Value;

use super::{row::micros, work::Work};

/// Deletes finished jobs that match, oldest first, at most `limit`; returns how many.
pub(super) async fn prune(work: &mut Work<'_>, spec: &PruneSpec, limit: usize) -> Result<usize, sqlx::Error> {
    let (sql, bound) = match spec.rule {
        PruneRule::MaxAge(age) => {
            let Some(before) = work.now.checked_sub_signed(age) else { return Ok(0) };
            (include_str!("queries/prune_by_age.sql"), micros(before))
        }
        PruneRule::MaxLength(length) => (include_str!("queries/prune_by_length.sql"), i64::from(length)),
        _ => return Err(sqlx::Error::Protocol("a rule for pruning that is newer than this backend".to_owned())),
    };
    let (executors, are_meant) = match &spec.executors {
        PruneScope::Only(executors) => (executors.as_slice(), true),
        PruneScope::Except(executors) => (executors.as_slice(), false),
        // All but none.
        PruneScope::All => (Default::default(), false),
        _ => return Err(sqlx::Error::Protocol("a scope for pruning that is newer than this backend".to_owned())),
    };
    let deleted = sqlx::query(sql)
        .bind(spec.status.as_str())
        .bind(Value::from_iter(executors.iter().map(ExecutorName::as_str)).to_string())
        .bind(are_meant)
        .bind(bound)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .execute(&mut *work.conn)
        .await?;
    Ok(usize::try_from(deleted.rows_affected()).unwrap_or(usize::MAX))
}
