//! Steps of a faulty backend. What runs record meets the faults of [`Operation::Settle`], what others ask those of
//! [`Operation::Query`].

use futures::future::BoxFuture;
use rexecutor::{
    backend::{AmendError, Backend, Result, Signalled, StepChange, StepLog, StepRow, step_log},
    job::{ExecutorName, JobId, Lease},
};

use super::{faulty::Faulty, operation::Operation};

impl<B: Backend> StepLog for Faulty<B> {
    fn steps<'a>(&'a self, job: JobId) -> BoxFuture<'a, Result<Vec<StepRow>>> {
        Box::pin(self.call(Operation::Query, async move { step_log(self.inner())?.steps(job).await }))
    }

    fn step<'a>(&'a self, job: JobId, lease: Lease, change: StepChange) -> BoxFuture<'a, Result<Option<StepRow>>> {
        Box::pin(self.call(Operation::Settle, async move { step_log(self.inner())?.step(job, lease, change).await }))
    }

    fn signal<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        name: &'a str,
        value: String,
    ) -> BoxFuture<'a, Result<Signalled, AmendError>> {
        let call = async move { step_log(self.inner())?.signal(executor, job, name, value).await };
        Box::pin(self.call(Operation::Query, call))
    }

    fn fork<'a>(
        &'a self,
        executor: &'a ExecutorName,
        job: JobId,
        from: &'a str,
    ) -> BoxFuture<'a, Result<JobId, AmendError>> {
        Box::pin(self.call(Operation::Query, async move { step_log(self.inner())?.fork(executor, job, from).await }))
    }
}
