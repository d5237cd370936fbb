//! Giving due jobs to nodes.

use std::sync::Arc;

use futures::future::BoxFuture;
use rexecutor::{
    backend::{Claim, Claimed, Demand, JobRow, Outcome, Result, Settlement, Wakeup},
    job::NodeId,
};
use tokio::sync::oneshot;

use super::{
    admit,
    backend::SqliteBackend,
    core::{Commit, Core},
    request::{Call, Request, Requests},
    work::Work,
};

impl Claim for SqliteBackend {
    fn claim<'a>(&'a self, node: NodeId, demands: Arc<[Demand]>) -> BoxFuture<'a, Result<Claimed>> {
        let requests = self.0.writer.requests().clone();
        let step = async move |core: &mut Core| {
            // Taken out of the core, which the transaction borrows.
            let (mut long, controls) = (std::mem::take(&mut core.long), std::mem::take(&mut core.controls));
            let new = controls.undeclared(node, &demands);
            let claim =
                async |work: &mut Work<'_>| admit::claim(work, node, &demands, &new, &mut long, &controls).await;
            let claimed = core.transact(Commit::Progress, claim).await;
            if claimed.as_ref().is_ok_and(|claimed| claimed.member) {
                controls.declared(node, new);
            }
            (core.long, core.controls) = (long, controls);
            core.log.wrote(claimed.as_ref().map_or(0, |claimed| claimed.jobs.len()));
            Ok(Held { claimed: Some(claimed?), requests })
        };
        Box::pin(async move { Ok(self.0.writer.run(step).await?.take()) })
    }

    fn watch<'a>(&'a self, wakeup: Arc<Wakeup>) -> BoxFuture<'a, Result<()>> {
        self.0.listeners.add(&wakeup);
        Box::pin(self.0.watch(wakeup))
    }
}

/// Claimed jobs on their way to the caller. If they do not get there, because its future was dropped, they are given
/// back: nobody would run them, and nobody would rescue them while the node lives.
struct Held {
    claimed: Option<Claimed>,
    requests: Requests,
}

impl Held {
    fn take(mut self) -> Claimed {
        self.claimed.take().unwrap_or_else(|| Claimed::nothing(true))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(Claimed { jobs, .. }) = self.claimed.take() else { return };
        let give_back = |job: JobRow| Settlement::new(job.id, job.lease, Outcome::GiveBack);
        let items: Arc<[Settlement]> = jobs.into_iter().map(give_back).collect();
        if !items.is_empty() {
            // It fails only if the thread is gone; then the file is closed, and the node's end gives them back.
            let _ = self.requests.send(Request::Settle(Call { items, answer: oneshot::channel().0 }));
        }
    }
}
