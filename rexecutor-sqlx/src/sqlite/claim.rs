//! Giving due jobs to nodes.

use std::sync::Arc;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Claim, Claimed, Demand, JobRow, Outcome, Result, Settlement, Wakeup},
    clock::{Clock, SystemClock},
    job::{JobId, NodeId},
};
use sqlx::Row;
use tokio::sync::{mpsc, oneshot};

use super::{
    SqliteBackend, fast_path,
    work::Work,
    writer::{Call, Commit, Core, Request},
};

impl Claim for SqliteBackend {
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Demand]) -> BoxFuture<'a, Result<Claimed>> {
        let slots = slots.to_vec();
        let requests = self.0.writer.requests().clone();
        let step = async move |core: &mut Core| {
            // Taken out of the core, which the transaction borrows.
            let mut long = std::mem::take(&mut core.long);
            let claim = async |work: &mut Work<'_>| fast_path::claim(work, node, &slots, &mut long).await;
            let claimed = core.transact(Commit::Progress, claim).await;
            core.long = long;
            core.log.wrote(claimed.as_ref().map_or(0, |claimed| claimed.jobs.len()));
            Ok(Held { claimed: Some(claimed?), requests })
        };
        Box::pin(async move { Ok(self.0.writer.run(step).await?.take()) })
    }

    fn watch(&self, wakeup: Arc<Wakeup>) -> BoxFuture<'_, Result<()>> {
        self.0.listeners.add(&wakeup);
        Box::pin(async move {
            if self.0.readers.is_none() {
                // Nobody else can change a database in memory. The future keeps the wakeup alive.
                return std::future::pending().await;
            }
            let mut seen = None;
            loop {
                seen =
                    Some(self.0.writer.run(async move |core: &mut Core| look(core, seen).await).await?.wake(&wakeup));
                // Other processes live by the system's clock, also when this one's jobs go by a test's.
                SystemClock.sleep(self.0.poll_interval).await;
            }
        })
    }
}

/// What other connections have done since the last look.
struct Sight {
    version: i64,
    is_news: bool,
    cancelled: Vec<JobId>,
}

impl Sight {
    fn wake(self, wakeup: &Wakeup) -> i64 {
        if self.is_news {
            wakeup.wake_all();
            self.cancelled.into_iter().for_each(|job| wakeup.cancel(job));
        }
        self.version
    }
}

/// Looks whether another connection has committed since `seen`.
///
/// SQLite answers from shared memory, without a lock. The number changes with every connection's commits but those of
/// the connection that asks, and all commits of this process go through this one: its own do not wake it.
async fn look(core: &mut Core, seen: Option<i64>) -> Result<Sight, sqlx::Error> {
    let version = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut core.conn).await?;
    let is_news = seen != Some(version);
    let mut cancelled = Vec::new();
    if is_news {
        let rows = sqlx::query(include_str!("queries/find_stopping.sql")).fetch_all(&mut core.conn);
        for row in rows.await? {
            cancelled.push(JobId::from(row.try_get::<i64, _>("id")?));
        }
    }
    Ok(Sight { version, is_news, cancelled })
}

/// Claimed jobs on their way to the caller. If they do not get there, because its future was dropped, they are given
/// back: nobody would run them, and nobody would rescue them while the node lives.
struct Held {
    claimed: Option<Claimed>,
    requests: mpsc::UnboundedSender<Request>,
}

impl Held {
    fn take(mut self) -> Claimed {
        self.claimed.take().unwrap_or(Claimed { jobs: Vec::new(), next_due_in: None, member: true })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(Claimed { jobs, .. }) = self.claimed.take() else { return };
        let give_back = |job: JobRow| Settlement { id: job.id, lease: job.lease, outcome: Outcome::GiveBack };
        let items: Vec<Settlement> = jobs.into_iter().map(give_back).collect();
        if !items.is_empty() {
            // It fails only if the thread is gone; then the file is closed, and the node's end gives them back.
            let _ = self.requests.send(Request::Settle(Call { items, answer: oneshot::channel().0 }));
        }
    }
}
