//! Flows of a faulty backend. What stores jobs meets the faults of [`Operation::Enqueue`], a look for what was left undone those of
//! [`Operation::Rescue`], and the rest those of [`Operation::Query`].

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        Backend, Enqueued, Flows, NewJob, Result, flows,
        flows::{Created, FlowError, FlowState, StoredFlow},
    },
    job::{ExecutorName, FlowId, JobId, JobStatus},
};

use super::{faulty::Faulty, operation::Operation};

impl<B: Backend> Flows for Faulty<B> {
    fn create(&self, flow: StoredFlow, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Created>> {
        Box::pin(self.call(Operation::Enqueue, async move { flows(self.inner())?.create(flow, jobs).await }))
    }

    fn add(&self, flow: FlowId, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>, FlowError>> {
        Box::pin(self.call(Operation::Enqueue, async move { flows(self.inner())?.add(flow, jobs).await }))
    }

    fn find(&self, flow: FlowId) -> BoxFuture<'_, Result<Option<FlowState>>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.find(flow).await }))
    }

    fn cancel_flow(&self, flow: FlowId, reason: String) -> BoxFuture<'_, Result<usize, FlowError>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.cancel_flow(flow, reason).await }))
    }

    fn reopen(&self, flow: FlowId) -> BoxFuture<'_, Result<bool, FlowError>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.reopen(flow).await }))
    }

    fn members(
        &self,
        flow: FlowId,
        status: JobStatus,
        after: Option<JobId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(JobId, ExecutorName)>>> {
        let call = async move { flows(self.inner())?.members(flow, status, after, limit).await };
        Box::pin(self.call(Operation::Query, call))
    }

    fn sweep_flows(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(self.call(Operation::Rescue, async move { flows(self.inner())?.sweep_flows().await }))
    }
}
