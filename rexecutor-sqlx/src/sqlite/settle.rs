//! Taking in how runs ended.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use rexecutor::{
    backend::{
        Outcome, Result, Settle, Settlement,
        lifecycle::{self, Fate},
    },
    job::{ExecutorName, JobId, Lease},
};
use sqlx::SqliteConnection;

use super::{
    SqliteBackend,
    error::failed,
    write::{change_state, commit},
};

type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Settle for SqliteBackend {
    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
        Box::pin(async move {
            let failed = failed("could not store outcomes");
            let mut writer = self.writer().await;
            let mut transaction = writer.begin().await.map_err(&failed)?;
            let now = self.now();
            let completed = complete(&mut transaction, settlements, now).await.map_err(&failed)?;
            let rest = settlements.iter().filter(|settlement| !completed.contains(&settlement.id.as_i64()));
            let (refused, due) = one_by_one(&mut transaction, rest, now).await.map_err(&failed)?;
            commit(transaction, "could not store outcomes").await?;
            drop(writer);
            self.ring(&due);
            Ok(refused)
        })
    }
}

/// Completes in one statement what can be; returns the numbers of those jobs.
async fn complete(
    connection: &mut SqliteConnection,
    settlements: &[Settlement],
    now: DateTime<Utc>,
) -> sqlx::Result<HashSet<i64>> {
    let completed = settlements.iter().filter(|settlement| settlement.outcome == Outcome::Complete { keep: true });
    let runs: Vec<_> = completed.map(|settlement| (settlement.id.as_i64(), settlement.lease.0)).collect();
    if runs.is_empty() {
        return Ok(HashSet::new());
    }
    let runs = serde_json::json!(runs).to_string();
    let query = sqlx::query_scalar(include_str!("queries/complete_jobs.sql")).bind(runs).bind(now.timestamp_micros());
    Ok(query.fetch_all(connection).await?.into_iter().collect())
}

/// Settles the others as the life cycle says; returns the refused ones, and whose jobs wait again.
async fn one_by_one(
    connection: &mut SqliteConnection,
    settlements: impl Iterator<Item = &Settlement>,
    now: DateTime<Utc>,
) -> sqlx::Result<(Vec<(JobId, Lease)>, BTreeSet<ExecutorName>)> {
    let (mut refused, mut due) = (Vec::new(), BTreeSet::new());
    for Settlement { id, lease, outcome } in settlements {
        let settled = change_state(connection, *id, |row| {
            let fate = lifecycle::settle(row, *lease, outcome, now);
            (fate.is_some(), fate.unwrap_or(Fate::Keep))
        })
        .await?;
        match settled {
            Some((true, job)) if job.status.is_pending() => {
                due.insert(job.executor);
            }
            Some((true, _)) => {}
            _ => refused.push((*id, *lease)),
        }
    }
    Ok((refused, due))
}
