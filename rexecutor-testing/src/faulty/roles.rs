//! The roles of a faulty backend.
//!
//! A backend may do its work before it returns the future, so each call is inside one of its own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        AmendError, Backend, Claim, Claimed, Demand, Enqueue, Enqueued, Filter, Heartbeat, Inspect, JobChange, JobRow,
        Maintain, NewJob, Node, Result, ScheduleKey, Settle, Settlement, Ticks, Wakeup,
    },
    job::{ExecutorName, JobId, Lease, NodeId},
    pruner::PruneSpec,
};

use super::{Faulty, Operation, error, fault::Effect};

impl<B: Backend> Enqueue for Faulty<B> {
    fn enqueue(&self, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>>> {
        Box::pin(self.call(Operation::Enqueue, async move { self.backend.enqueue(jobs).await }))
    }

    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>> {
        Box::pin(self.call(Operation::Schedules, async move { self.backend.schedules(schedules).await }))
    }

    fn tick<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        at: DateTime<Utc>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.call(Operation::Tick, async move { self.backend.tick(schedule, at, jobs).await }))
    }
}

impl<B: Backend> Claim for Faulty<B> {
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Demand]) -> BoxFuture<'a, Result<Claimed>> {
        Box::pin(async move {
            let effect = self.meet(Operation::Claim);
            let most = if let Some(Effect::Cut(length)) = effect { length } else { usize::MAX };
            let slots = slots.iter().map(|slots| Demand { free: slots.free.min(most), ..slots.clone() });
            let slots: Vec<Demand> = slots.filter(|slots| slots.free > 0).collect();
            self.suffer(Operation::Claim, effect, async { self.backend.claim(node, &slots).await }).await
        })
    }

    fn watch(&self, wakeup: Arc<Wakeup>) -> BoxFuture<'_, Result<()>> {
        // Set up by the call itself, as the contract has it.
        let watching = self.backend.watch(wakeup);
        Box::pin(self.call(Operation::Watch, watching))
    }
}

impl<B: Backend> Settle for Faulty<B> {
    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
        Box::pin(async move {
            let effect = self.meet(Operation::Settle);
            let first = match effect {
                Some(Effect::Cut(length)) => settlements.get(..length).filter(|_| length < settlements.len()),
                _ => None,
            };
            let Some(first) = first else {
                let settle = async move { self.backend.settle(settlements).await };
                return self.suffer(Operation::Settle, effect, settle).await;
            };
            self.backend.settle(first).await?;
            Err(error(Operation::Settle, true))
        })
    }
}

impl<B: Backend> Maintain for Faulty<B> {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        Box::pin(self.call(Operation::Join, async move { self.backend.join(node).await }))
    }

    fn heartbeat(&self, node: NodeId) -> BoxFuture<'_, Result<Heartbeat>> {
        Box::pin(self.call(Operation::Heartbeat, async move { self.backend.heartbeat(node).await }))
    }

    fn leave(&self, node: NodeId) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.call(Operation::Leave, async move { self.backend.leave(node).await }))
    }

    fn rescue(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(self.call(Operation::Rescue, async move { self.backend.rescue().await }))
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        Box::pin(self.call(Operation::Prune, async move { self.backend.prune(spec, limit).await }))
    }
}

impl<B: Backend> Inspect for Faulty<B> {
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>> {
        Box::pin(self.call(Operation::Query, async move { self.backend.query(filter, limit).await }))
    }

    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(self.amend(Operation::Cancel, async move { self.backend.cancel(executor, job, reason).await }))
    }

    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(self.amend(Operation::Rerun, async move { self.backend.rerun(executor, job).await }))
    }

    fn update<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        change: JobChange,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        Box::pin(self.amend(Operation::Update, async move { self.backend.update(executor, job, change).await }))
    }
}

impl<B> Faulty<B> {
    /// A refusal is an answer like any other.
    async fn amend(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<(), AmendError>>,
    ) -> Result<(), AmendError> {
        let answer = self.call(operation, async move {
            match call.await {
                Err(AmendError::Backend(error)) => Err(error),
                answer => Ok(answer),
            }
        });
        answer.await?
    }
}
