//! Running what is due, without a node.

use std::{fmt, future::IntoFuture};

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
/// with a node, so a job that fails waits for its retry: [`until`](Drain::until) moves the clock there. Schedules tick
/// [on demand](Drain::with_schedules).
///
/// A job that sleeps on its clock does not keep the test waiting: the clock moves to the next deadline as soon as everything
/// waits for it. Where this is not awaited by the test itself but spawned, the test moves the clock.
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
///     ran.assert_all_complete();
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
    ticks: bool,
}

impl Drain {
    pub(super) fn new(test: Test) -> Self {
        let node = test.node();
        Self { test, node, until: None, limit: usize::MAX, fails_fast: false, catches: false, ticks: false }
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

    /// Enqueues the jobs of schedules, too, whenever they tick. A schedule that is new to the backend begins now, so that its
    /// first tick comes later: [`until`](Drain::until) moves the clock there.
    ///
    /// ```
    /// use rexecutor::prelude::*;
    /// use rexecutor_testing::{TestClock, drain};
    ///
    /// #[job(cron = "0 0 9 * * *", timezone = "Europe/London")]
    /// async fn morning_report() {}
    ///
    /// #[rexecutor_testing::test]
    /// async fn there_is_a_report_every_morning() {
    ///     let ran = drain().with_schedules().until(TestClock::START + TimeDelta::days(7)).await;
    ///     assert_eq!(ran.of::<MorningReport>().count(), 7);
    /// }
    /// # there_is_a_report_every_morning();
    /// ```
    pub fn with_schedules(self) -> Self {
        Self { ticks: true, ..self }
    }

    async fn run(self) -> Drained {
        let Self { test, node, until, limit, fails_fast, catches, ticks } = self;
        let runner = match node.into_job_runner() {
            Ok(runner) => runner,
            Err(error) => panic!("the jobs cannot run: {error}"),
        };
        let node = Node::new("drain", LONG);
        let member = must(test.backend().join(&node).await);
        let mut drained = Drained { runs: Vec::new() };
        let mut is_over = false;
        while !is_over && drained.runs.len() < limit {
            let next_tick = if ticks { must(runner.tick().await) } else { None };
            let (due, next) = claim(&test, &runner, member, limit - drained.runs.len()).await;
            if due.is_empty() {
                let next = next.map(|wait| test.clock().now() + wait).into_iter().chain(next_tick).min();
                let Some(next) = next.filter(|next| until.is_some_and(|until| *next <= until)) else { break };
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
    let going_on = test.clock().moving((id.as_i64(), row.lease.0), runner.run(row));
    let Some(settlement) = going_on.await else { unreachable!("`{executor}` was claimed because it can run") };
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
        let is_name = |name: &str| name == E::NAME || E::ALIASES.contains(&name);
        self.runs.iter().filter(move |ran| is_name(ran.executor.as_str()))
    }

    /// Whose jobs ran.
    pub fn names(&self) -> Vec<&str> {
        self.runs.iter().map(|ran| ran.executor.as_str()).collect()
    }

    /// Whether every run succeeded; [`assert_all_complete`](Self::assert_all_complete) says which did not, and why.
    pub fn all_complete(&self) -> bool {
        self.runs.iter().all(|ran| ran.performed.is_complete())
    }

    /// Asserts that every run succeeded.
    ///
    /// # Panics
    ///
    /// When one did not: with every such run, and why.
    ///
    /// ```should_panic
    /// use rexecutor::prelude::*;
    /// use rexecutor_testing::drain;
    ///
    /// #[job]
    /// async fn charge(_cents: u32) -> Result<(), String> {
    ///     Err("the card was declined".to_owned())
    /// }
    ///
    /// #[rexecutor_testing::test]
    /// async fn everybody_pays() {
    ///     Charge::enqueue(995).await.unwrap();
    ///     // 1 of 1 runs did not complete: `charge` (number 1, data 995), attempt 1: failed with
    ///     // `alloc::string::String`: the card was declined
    ///     drain().await.assert_all_complete();
    /// }
    /// # everybody_pays();
    /// ```
    #[track_caller]
    pub fn assert_all_complete(&self) {
        let others: Vec<_> = self.runs.iter().filter(|ran| !ran.performed.is_complete()).collect();
        if !others.is_empty() {
            let reasons: String = others.iter().map(|ran| format!("\n  {ran}")).collect();
            panic!("{} of {} runs did not complete:{reasons}", others.len(), self.runs.len());
        }
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

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, executor, data, attempt, performed, .. } = self;
        write!(f, "`{executor}` (number {id}, data {data}), attempt {attempt}: {performed}")
    }
}
