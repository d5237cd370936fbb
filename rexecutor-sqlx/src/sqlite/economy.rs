//! What work costs, counted: how often statements are handed over to the connection's thread.
//!
//! Each backend has a thread of its own on which all its statements are handed over, so the count is that thread's.

use std::cell::Cell;

use rexecutor::{
    backend::{
        Claim, ClusterLimits, Demand, Enqueue, Failure, JobRow, Maintain, NewJob, Node, Outcome, Pause, Report, Scope,
        Settle, Settlement, control, events, reports,
    },
    job::{ErrorType, NodeId},
};

use super::{backend::SqliteBackend, core::Core};

thread_local! {
    static HAND_OVERS: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn count() {
    HAND_OVERS.set(HAND_OVERS.get() + 1);
}

/// How many jobs a claim has, and a batch of outcomes.
const BATCH: usize = 500;

struct Counted {
    backend: SqliteBackend,
    node: NodeId,
}

impl Counted {
    async fn new() -> Self {
        let backend = crate::SqliteOptions::new().open_in_memory().await.unwrap();
        let node = Node::new("test", std::time::Duration::from_secs(60));
        let node = backend.join(&node).await.unwrap();
        Self { backend, node }
    }

    async fn cost<T>(&self, work: impl Future<Output = T>) -> (T, usize) {
        let before = self.hand_overs().await;
        let value = work.await;
        (value, self.hand_overs().await - before)
    }

    async fn hand_overs(&self) -> usize {
        self.backend.0.writer.run(async move |_: &mut Core| Ok(HAND_OVERS.get())).await.unwrap()
    }

    async fn enqueue(&self, count: usize) {
        let job = NewJob::new("mail", "{}").with_max_attempts(5);
        assert_eq!(self.backend.enqueue(vec![job; count]).await.unwrap().len(), count);
    }

    async fn claim(&self) -> Vec<JobRow> {
        let demands = [Demand::new("mail", BATCH)];
        self.backend.claim(self.node, demands.clone().into()).await.unwrap().jobs
    }

    async fn settle(&self, claimed: &[JobRow], outcome: Outcome) {
        let settlement = |job: &JobRow| Settlement::new(job.id, job.lease, outcome.clone());
        let settlements: Vec<_> = claimed.iter().map(settlement).collect();
        assert_eq!(self.backend.settle(settlements.clone().into()).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_thousand_jobs_take_few_hand_overs() {
    let counted = Counted::new().await;
    assert_eq!(counted.cost(counted.enqueue(1_000)).await.1, 1);
    // The second one goes on in what the first has found to be a long queue.
    for (keep, expected) in [(true, 3), (false, 1)] {
        let (claimed, cost) = counted.cost(counted.claim()).await;
        let settled = counted.cost(counted.settle(&claimed, Outcome::complete(keep))).await.1;
        assert_eq!((claimed.len(), cost, settled), (BATCH, expected, 1));
    }
    // The first one after the end of a long queue tries in vain.
    for expected in [2, 1] {
        let (nothing, cost) = counted.cost(counted.claim()).await;
        assert_eq!((nothing.len(), cost), (0, expected));
    }
}

/// What is stored about one executor costs the others nothing, once the node knows of it.
#[tokio::test]
async fn a_pause_of_another_executor_costs_nothing() {
    let counted = Counted::new().await;
    counted.enqueue(3 * BATCH).await;
    control(&counted.backend).unwrap().pause(&Scope::Executor("print".into()), Pause::new("no paper")).await.unwrap();
    let (claimed, cost) = counted.cost(counted.claim()).await;
    assert!(claimed.len() == BATCH && cost <= 8, "it is outdated, and reads: {cost}");
    for _ in 0..2 {
        let (claimed, cost) = counted.cost(counted.claim()).await;
        assert_eq!((claimed.len(), cost), (BATCH, 1));
    }
}

/// Nor do limits of another executor, while they hold or when a job of it has held it back.
#[tokio::test]
async fn a_limit_of_another_executor_costs_nothing() {
    let counted = Counted::new().await;
    counted.enqueue(6 * BATCH).await;
    let _ = counted.backend.enqueue(vec![NewJob::new("print", "{}"); 4]).await.unwrap();
    let limits = ClusterLimits::NONE.with_concurrency(Some(100));
    let demands = [Demand::new("print", 2).with_cluster_limits(limits)];
    let printing = counted.backend.claim(counted.node, demands.into()).await.unwrap().jobs;
    assert_eq!(printing.len(), 2);
    for is_throttled in [false, true] {
        if is_throttled {
            counted.settle(&printing, Outcome::throttle(rexecutor::TimeDelta::seconds(60))).await;
        }
        assert_eq!(counted.claim().await.len(), BATCH, "it is outdated, and reads");
        for _ in 0..2 {
            let (claimed, cost) = counted.cost(counted.claim()).await;
            assert_eq!((claimed.len(), cost), (BATCH, 1));
        }
    }
}

/// Nobody pays for events who is not listened to: claims and outcomes take as many hand-overs as before anybody listened, once the last
/// listener has left.
#[tokio::test]
async fn events_cost_nothing_while_nobody_listens() {
    let counted = Counted::new().await;
    let round = async || {
        counted.enqueue(4).await;
        let (claimed, claim) = counted.cost(counted.claim()).await;
        assert_eq!(claimed.len(), 4);
        let failed = Outcome::discard(Failure::new(ErrorType::Panic, "it broke"));
        let ends = [Outcome::complete(true), Outcome::complete(false), Outcome::complete_with("1"), failed];
        let mut costs = vec![counted.cost(counted.enqueue(1)).await.1, claim];
        for (job, end) in claimed.iter().zip(ends) {
            costs.push(counted.cost(counted.settle(std::slice::from_ref(job), end)).await.1);
        }
        let report = Report::new(claimed[0].id, claimed[0].lease, "{}");
        costs.push(counted.cost(reports(&counted.backend).unwrap().report(vec![report])).await.1);
        counted.settle(&counted.claim().await, Outcome::complete(true)).await;
        costs
    };
    let before = round().await;
    assert_eq!((before[0], &before[2..5]), (1, &[1, 1, 1][..]));
    let mut reader = events(&counted.backend).unwrap().listen(None).await.unwrap();
    let listened = round().await;
    assert!(listened[2] > before[2], "they are told of: {listened:?}");
    assert_eq!(listened[0], before[0], "who enqueues tells nobody");
    assert!(!reader.read(1_000).await.unwrap().events.is_empty());
    reader.end().await.unwrap();
    assert_eq!(round().await, before);
}

#[tokio::test]
async fn callers_that_enqueue_at_once_share_few_hand_overs() {
    let counted = Counted::new().await;
    // Until all have called, the thread is busy; else how many share the next one would be a matter of luck.
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let busy = counted.backend.0.writer.run(async move |_: &mut Core| {
        wait.await.unwrap();
        Ok(())
    });
    let callers = (0..1_000).map(|_| counted.enqueue(1));
    let all_have_called = async { go.send(()).unwrap() };
    let work = async { tokio::join!(biased; busy, futures::future::join_all(callers), all_have_called) };
    let ((busy, ..), cost) = counted.cost(work).await;
    busy.unwrap();
    // Some may have been in time for the round of what kept it busy.
    assert!(cost <= 2, "{cost}");
}
