//! Running what is due, without a node.

use std::future::IntoFuture;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rexecutor::{
    Executor,
    backend::{BackendError, Claim, Demand, JobRow, Maintain, Node, Outcome, Settle, Settlement},
    clock::Clock,
    job::{ErrorType, ExecutorName, JobId, NodeId},
    node::NodeBuilder,
    testing::job_runner::JobRunner,
};

use super::{LONG, Performed, Test};

/// Runs what is due, and what that enqueues, until nothing is due; await it for what happened, in order.
///
/// Jobs run one after the other: by priority, then due time, then number. Everything goes through the backend, as it does
/// with a node, so a job that fails waits for its retry: [`until`](Drain::until) moves the clock there. Schedules are a
/// node's: they tick when [`Test::node`] was started.
///
/// A job that panics fails the test with its own message; see [`catching_panics`](Drain::catching_panics).
///
/// ```
/// use rexecutor::prelude::*;
/// use rexecutor_testing::Test;
///
/// #[job]
/// async fn order(item: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     Ship::enqueue(item).await?;
///     Ok(())
/// }
///
/// #[job]
/// async fn ship(_item: String) {}
///
/// #[rexecutor_testing::test]
/// async fn an_order_is_shipped(test: Test) {
///     Order::enqueue("lamp".to_owned()).await.unwrap();
///     let ran = test.drain().await;
///     assert_eq!(ran.names(), ["order", "ship"]);
///     assert!(ran.all_complete());
/// }
/// # an_order_is_shipped();
/// ```
#[must_use = "nothing runs until it is awaited"]
#[derive(Debug)]
pub struct Drain {
    test: Test,
    node: NodeBuilder,
    until: Option<DateTime<Utc>>,
    limit: usize,
    fails_fast: bool,
    catches: bool,
}

impl Drain {
    pub(super) fn new(test: Test) -> Self {
        let node = test.node();
        Self { test, node, until: None, limit: usize::MAX, fails_fast: false, catches: false }
    }

    /// Runs the jobs of this executor, too, which need not be registered.
    pub fn with_executor<E: Executor>(self) -> Self {
        Self { node: self.node.with_executor::<E>(), ..self }
    }

    /// Runs no registered jobs but these, and others that are named so. Those that are left out stay as they are.
    pub fn only<E: Executor>(self) -> Self {
        Self { node: self.node.only::<E>(), ..self }
    }

    /// Moves the clock from one due time to the next, up to this instant, where it stands in the end.
    pub fn until(self, instant: DateTime<Utc>) -> Self {
        Self { until: Some(instant), ..self }
    }

    /// Runs so many jobs at most. Without this, jobs that enqueue each other run for ever.
    pub fn limit(self, runs: usize) -> Self {
        Self { limit: runs, ..self }
    }

    /// Stops after the first attempt that fails. What is due stays due.
    pub fn fail_fast(self) -> Self {
        Self { fails_fast: true, ..self }
    }

    /// Takes a panic for what it is to a node: a failed attempt.
    pub fn catching_panics(self) -> Self {
        Self { catches: true, ..self }
    }

    async fn run(self) -> Drained {
        let Self { test, node, until, limit, fails_fast, catches } = self;
        let runner = match node.into_job_runner() {
            Ok(runner) => runner,
            Err(error) => panic!("the jobs cannot run: {error}"),
        };
        let node = Node::new("drain", LONG);
        let member = must(test.backend().join(&node).await);
        let mut drained = Drained { runs: Vec::new() };
        let mut is_over = false;
        while !is_over && drained.runs.len() < limit {
            let (due, next) = claim(&test, &runner, member, limit - drained.runs.len()).await;
            if due.is_empty() {
                let now = test.clock().now();
                let next = next.map(|wait| now + wait).filter(|next| until.is_some_and(|until| *next <= until));
                let Some(next) = next else { break };
                test.clock().set(next).await;
            }
            for row in due {
                if is_over {
                    give_back(&test, &row).await;
                    continue;
                }
                let ran = run(&test, &runner, row, catches).await;
                is_over = fails_fast && ran.performed.error().is_some();
                drained.runs.push(ran);
            }
        }
        must(test.backend().leave(member).await);
        if let Some(until) = until.filter(|_| !is_over) {
            test.clock().set(until).await;
        }
        drained
    }
}

/// What is due, in the order in which it runs, and how long until more is.
async fn claim(
    test: &Test,
    runner: &JobRunner,
    member: NodeId,
    limit: usize,
) -> (Vec<JobRow>, Option<std::time::Duration>) {
    let names: Vec<ExecutorName> = runner.names().map(ExecutorName::from).collect();
    let demands: Vec<Demand> = names.into_iter().map(|executor| Demand::new(executor, limit)).collect();
    let claimed = must(test.backend().claim(member, demands.clone().into()).await);
    let mut due = claimed.jobs;
    due.sort_by_key(|row| (row.priority, row.scheduled_at, row.id));
    for row in due.split_off(limit.min(due.len())) {
        give_back(test, &row).await;
    }
    // Filled slots do not say when the next job is due, and none are if nothing was claimed.
    (due, claimed.next_due_in)
}

async fn run(test: &Test, runner: &JobRunner, row: JobRow, catches: bool) -> Ran {
    let (id, executor, data, attempt) = (row.id, row.executor.clone(), row.data.clone(), row.attempt);
    let at = test.clock().now();
    let Some(settlement) = runner.run(row).await else { unreachable!("`{executor}` was claimed because it can run") };
    must(test.backend().settle([settlement.clone()].into()).await);
    let performed = Performed::new(settlement.outcome);
    match performed.error() {
        Some(error) if error.error_type == ErrorType::Panic && !catches => {
            panic!("the job `{executor}` (number {id}, data {data}) panicked: {}", error.details)
        }
        _ => Ran { id, executor, data, attempt, at, performed },
    }
}

async fn give_back(test: &Test, row: &JobRow) {
    let settlement = Settlement::new(row.id, row.lease, Outcome::GiveBack);
    must(test.backend().settle([settlement].into()).await);
}

fn must<T>(answer: Result<T, BackendError>) -> T {
    answer.unwrap_or_else(|error| panic!("the test's backend failed: {error}"))
}

impl IntoFuture for Drain {
    type Output = Drained;
    type IntoFuture = BoxFuture<'static, Drained>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    runs: Vec<Ran>,
}

impl Drained {
    /// Every run.
    pub fn runs(&self) -> &[Ran] {
        &self.runs
    }

    /// The runs of this executor.
    pub fn of<E: Executor>(&self) -> impl Iterator<Item = &Ran> {
        self.runs.iter().filter(|ran| ran.executor.as_str() == E::NAME)
    }

    /// Whose jobs ran.
    pub fn names(&self) -> Vec<&str> {
        self.runs.iter().map(|ran| ran.executor.as_str()).collect()
    }

    /// Whether every run succeeded.
    pub fn all_complete(&self) -> bool {
        self.runs.iter().all(|ran| ran.performed.is_complete())
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ran {
    /// The job.
    pub id: JobId,
    /// Whose job it is.
    pub executor: ExecutorName,
    /// The data, as JSON.
    pub data: String,
    /// Which attempt it was, counted from 1.
    pub attempt: u16,
    /// When it began.
    pub at: DateTime<Utc>,
    /// How it ended.
    pub performed: Performed,
}
