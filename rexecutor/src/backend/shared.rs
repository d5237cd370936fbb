//! A shared backend is a backend.

use std::sync::Arc;

use super::*;

impl<B: Enqueue + ?Sized> Enqueue for Arc<B> {
    fn enqueue(&self, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>>> {
        (**self).enqueue(jobs)
    }

    fn schedules<'a>(&'a self, schedules: &'a [ScheduleKey]) -> BoxFuture<'a, Result<Ticks>> {
        (**self).schedules(schedules)
    }

    fn tick<'a>(
        &'a self,
        schedule: &'a ScheduleKey,
        at: DateTime<Utc>,
        jobs: Vec<NewJob>,
    ) -> BoxFuture<'a, Result<bool>> {
        (**self).tick(schedule, at, jobs)
    }
}

impl<B: Claim + ?Sized> Claim for Arc<B> {
    fn claim<'a>(&'a self, node: NodeId, slots: &'a [Demand]) -> BoxFuture<'a, Result<Claimed>> {
        (**self).claim(node, slots)
    }

    fn watch(&self, wakeup: Arc<Wakeup>) -> BoxFuture<'_, Result<()>> {
        (**self).watch(wakeup)
    }
}

impl<B: Settle + ?Sized> Settle for Arc<B> {
    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, Result<Vec<(JobId, Lease)>>> {
        (**self).settle(settlements)
    }
}

impl<B: Maintain + ?Sized> Maintain for Arc<B> {
    fn join<'a>(&'a self, node: &'a Node) -> BoxFuture<'a, Result<NodeId>> {
        (**self).join(node)
    }

    fn heartbeat(&self, node: NodeId) -> BoxFuture<'_, Result<Heartbeat>> {
        (**self).heartbeat(node)
    }

    fn leave(&self, node: NodeId) -> BoxFuture<'_, Result<()>> {
        (**self).leave(node)
    }

    fn rescue(&self) -> BoxFuture<'_, Result<usize>> {
        (**self).rescue()
    }

    fn prune<'a>(&'a self, spec: &'a PruneSpec, limit: usize) -> BoxFuture<'a, Result<usize>> {
        (**self).prune(spec, limit)
    }
}

impl<B: Inspect + ?Sized> Inspect for Arc<B> {
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>> {
        (**self).query(filter, limit)
    }

    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        (**self).cancel(executor, job, reason)
    }

    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        (**self).rerun(executor, job)
    }

    fn update<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        change: JobChange,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        (**self).update(executor, job, change)
    }
}

impl<B: Inspect + ?Sized> Inspect for &B {
    fn query<'a>(&'a self, filter: &'a Filter, limit: usize) -> BoxFuture<'a, Result<Vec<JobRow>>> {
        (**self).query(filter, limit)
    }

    fn cancel<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        reason: String,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        (**self).cancel(executor, job, reason)
    }

    fn rerun<'a>(&'a self, executor: &'a ExecutorName, job: JobId) -> BoxFuture<'a, Result<(), AmendError>> {
        (**self).rerun(executor, job)
    }

    fn update<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        change: JobChange,
    ) -> BoxFuture<'a, Result<(), AmendError>> {
        (**self).update(executor, job, change)
    }
}
