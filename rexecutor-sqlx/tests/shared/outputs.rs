//! Waiting for a job that another process runs.

use std::time::Duration;

use rexecutor::{
    backend::{Backend, Demand, Filter, Marks, NewJob, Node, Outcome as End, Settlement},
    executor::HasOutput,
    job::JobId,
    prelude::*,
};

struct Count;

#[async_trait::async_trait]
impl Executor for Count {
    type Data = u32;
    type Metadata = ();
    const NAME: &'static str = "count";

    async fn execute(_job: Job<u32, ()>) -> ExecutionResult {
        ExecutionResult::Done
    }
}

impl HasOutput for Count {
    type Output = u32;
}

/// Less than it takes until a waiter looks by itself.
const SOON: Duration = Duration::from_secs(4);

/// Waits on one backend, until `there`, which is another process's as far as anybody can tell, has ended jobs: in the ways of a
/// run, and of one that somebody cancels.
pub(crate) async fn told_by_another_process<B: Backend + Clone>(here: &B, there: &B) {
    let job = || NewJob::new("count", "1");
    let ids: Vec<JobId> = there.enqueue(vec![job(); 3]).await.unwrap().into_iter().map(|job| job.id()).collect();
    let waiting: Vec<_> =
        ids.iter().map(|id| tokio::spawn(Count::wait_on_backend(*id, here).within(SOON).into_future())).collect();
    let marked = Filter::Marked(Marks::AWAITED);
    while there.query(&marked, 3).await.unwrap().len() < 3 {
        tokio::task::yield_now().await;
    }
    let node = there.join(&Node::new("there", Duration::from_secs(60))).await.unwrap();
    let runs = there.claim(node, [Demand::new("count", 2)].into()).await.unwrap().jobs;
    let end = |run: usize, outcome| Settlement::new(runs[run].id, runs[run].lease, outcome);
    assert!(
        there.settle([end(0, End::complete_with("7")), end(1, End::cancel("no"))].into()).await.unwrap().is_empty()
    );
    there.cancel(&"count".into(), ids[2], "not wanted".to_owned()).await.unwrap();
    let mut outcomes = Vec::new();
    for waiting in waiting {
        outcomes.push(waiting.await.unwrap().unwrap());
    }
    let cancelled = |reason: &str| Outcome::Cancelled { reason: Some(reason.to_owned()) };
    assert_eq!(outcomes, [Outcome::Complete(7), cancelled("no"), cancelled("not wanted")]);
}
