//! Flows of a faulty backend. What stores jobs meets the faults of [`Operation::Enqueue`], a look for what was left undone those of
//! [`Operation::Rescue`], and the rest those of [`Operation::Query`].

use futures::future::BoxFuture;
use rexecutor::{
    backend::{
        Backend, Enqueued, Flows, NewJob, Result, flows,
        flows::{Created, FlowError, FlowState, FlowsPage, FlowsRequest, StoredFlow, TaskRow, UpstreamTask},
    },
    job::{ExecutorName, FlowId, JobId, JobStatus},
};

use super::{faulty::Faulty, operation::Operation};

impl<B: Backend> Flows for Faulty<B> {
    fn create(&self, flow: StoredFlow, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Created, FlowError>> {
        Box::pin(self.call(Operation::Enqueue, async move { flows(self.inner())?.create(flow, jobs).await }))
    }

    fn add(&self, flow: FlowId, jobs: Vec<NewJob>) -> BoxFuture<'_, Result<Vec<Enqueued>, FlowError>> {
        Box::pin(self.call(Operation::Enqueue, async move { flows(self.inner())?.add(flow, jobs).await }))
    }

    fn find(&self, flow: FlowId) -> BoxFuture<'_, Result<Option<FlowState>>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.find(flow).await }))
    }

    fn list_flows<'a>(&'a self, request: &'a FlowsRequest) -> BoxFuture<'a, Result<FlowsPage>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.list_flows(request).await }))
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

    fn upstream(&self, task: JobId) -> BoxFuture<'_, Result<Vec<UpstreamTask>>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.upstream(task).await }))
    }

    fn tasks(&self, flow: FlowId, after: Option<JobId>, limit: usize) -> BoxFuture<'_, Result<Vec<TaskRow>>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.tasks(flow, after, limit).await }))
    }

    fn find_task(&self, flow: FlowId, name: String) -> BoxFuture<'_, Result<Option<UpstreamTask>>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.find_task(flow, name).await }))
    }

    fn skip_task(&self, flow: FlowId, task: String, reason: String) -> BoxFuture<'_, Result<(), FlowError>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.skip_task(flow, task, reason).await }))
    }

    fn retry_tasks(&self, flow: FlowId) -> BoxFuture<'_, Result<usize, FlowError>> {
        Box::pin(self.call(Operation::Query, async move { flows(self.inner())?.retry_tasks(flow).await }))
    }

    fn sweep_flows(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(self.call(Operation::Rescue, async move { flows(self.inner())?.sweep_flows().await }))
    }
}
