//! The jobs of a simulation: each does what its data say.

use std::time::Duration;

use chrono::TimeDelta;
use rexecutor::{
    ExecutionResult, Executor, Job,
    executor::{ExecutionError, GroupKey, Limit, OnDiscard, Rate},
    job::uniqueness_criteria::Debounce,
};
use serde::{Deserialize, Serialize};

use super::record::{Record, RunKey, Stage};

/// How many jobs a node runs at once.
pub(super) const MAX_RUNNING: usize = 5;

/// How many jobs of [`Scarce`] run at once on all nodes.
pub(super) const SCARCE: usize = 2;

/// How many jobs of one key of [`Keyed`] run at once on all nodes.
pub(super) const OF_A_KEY: usize = 2;

/// How many jobs of [`Rated`] start in how much time on all nodes.
pub(super) const RATE: Rate = Rate::new(3, Duration::from_secs(7)).with_burst(4);

/// What [`Narrow`] and [`Timed`] share.
pub(super) static DOOR: Limit = Limit::new("door").cluster_concurrency(3);

/// How long calls of [`Called`] wait for later ones.
pub(super) const DEBOUNCE: Debounce = Debounce::new(TimeDelta::seconds(6), TimeDelta::seconds(25));

/// In what time one call of [`Called`] is enqueued, of those that are throttled.
pub(super) const THROTTLE: TimeDelta = TimeDelta::seconds(20);

/// How many jobs of [`Narrow`] may wait, for calls that ask for room.
pub(super) const ROOM: usize = 6;

/// The tag of those.
pub(super) const THROTTLED: &str = "throttled";

/// What a job does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Work {
    /// Its attempts, one after the other; those after the last succeed at once.
    pub(super) acts: Vec<Act>,
    /// Of those whose keys take turns.
    pub(super) key: u8,
}

/// What an attempt does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Act {
    pub(super) millis: u64,
    pub(super) end: End,
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum End {
    Done,
    Fail,
    Snooze,
    Panic,
}

/// On which node a job runs, and who writes down what it does.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) node: usize,
    pub(super) record: Record,
}

/// A run, until it is over.
struct Running {
    place: Place,
    executor: &'static str,
    run: RunKey,
    stage: Stage,
}

impl Drop for Running {
    fn drop(&mut self) {
        let Self { place: Place { node, record }, executor, run, stage } = self;
        let stage = if *stage == Stage::Running { Stage::Dropped } else { *stage };
        record.over(*node, executor, *run, stage);
    }
}

#[derive(Debug)]
struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("as it was told")
    }
}

impl std::error::Error for Failed {}

impl ExecutionError for Failed {
    fn error_type(&self) -> &'static str {
        "told"
    }
}

async fn work<E: Executor<Data = Work, Metadata = ()>>(job: Job<Work, ()>) -> ExecutionResult {
    let (executor, limit) = (E::NAME, E::MAX_CONCURRENCY.unwrap_or(MAX_RUNNING));
    let context = job.context();
    let Some(place) = context.state::<Place>() else { return ExecutionResult::Done };
    let run = (context.job_id(), context.lease());
    place.record.began(place.node, executor, run, limit, MAX_RUNNING);
    let mut running = Running { place, executor, run, stage: Stage::Running };
    // Snoozes do not count as attempts, so the lease tells how often it ran.
    let nth = usize::try_from(context.lease().0 - 1).unwrap_or(usize::MAX);
    let act = job.data.acts.get(nth).copied().unwrap_or(Act { millis: 0, end: End::Done });
    context.clock().sleep(Duration::from_millis(act.millis)).await;
    let is_late = E::timeout(&job).is_some_and(|timeout| Duration::from_millis(act.millis) >= timeout);
    let ended = if is_late { Stage::EndedLate } else { Stage::Ended };
    let (word, result) = match act.end {
        End::Done => ("completed", ExecutionResult::Done),
        End::Fail => ("retried", ExecutionResult::Error { error: Box::new(Failed) }),
        End::Snooze => ("snoozed", ExecutionResult::Snooze { delay: TimeDelta::seconds(7) }),
        End::Panic => {
            running.stage = ended("retried");
            // As a panic, but for the words on standard error.
            std::panic::resume_unwind(Box::new("as it was told"));
        }
    };
    running.stage = ended(word);
    result
}

macro_rules! executors {
    ($($name:ident $text:literal $limit:expr, $cluster:expr, $key:expr, $order:expr, $rate:expr, $timeout:expr, $shared:expr;)*) => {$(
        pub(super) struct $name;

        #[rexecutor::__private::async_trait]
        impl Executor for $name {
            type Data = Work;
            type Metadata = ();
            const NAME: &'static str = $text;
            const MAX_ATTEMPTS: u16 = 50;
            const MAX_CONCURRENCY: Option<usize> = $limit;
            const CLUSTER_CONCURRENCY: Option<usize> = $cluster;
            const KEY_CONCURRENCY: Option<usize> = $key;
            const ORDERED: Option<OnDiscard> = $order;
            const RATE_LIMIT: Option<Rate> = $rate;
            const LIMITS: &'static [&'static Limit] = $shared;

            fn group_key(data: &Work) -> Option<GroupKey> {
                ($key.is_some_and(|most: usize| most > 0) || Self::ORDERED.is_some()).then(|| GroupKey::of(&data.key))
            }

            fn backoff(_: &Job<Work, ()>) -> TimeDelta {
                TimeDelta::seconds(2)
            }

            fn timeout(_: &Job<Work, ()>) -> Option<Duration> {
                $timeout
            }

            async fn execute(job: Job<Work, ()>) -> ExecutionResult {
                work::<Self>(job).await
            }
        }
    )*};
}

executors! {
    Plain "plain" None, None, None, None, None, None, &[];
    Narrow "narrow" Some(2), None, None, None, None, None, &[&DOOR];
    Scarce "scarce" None, Some(SCARCE), None, None, None, None, &[];
    Keyed "keyed" None, None, Some(OF_A_KEY), None, None, None, &[];
    Ordered "ordered" None, None, None, Some(OnDiscard::Skip), None, None, &[];
    Rated "rated" None, None, None, None, Some(RATE), None, &[];
    Timed "timed" None, None, None, None, None, Some(Duration::from_secs(4)), &[&DOOR];
    Called "called" None, None, None, None, None, None, &[];
    Ticks "ticks" None, None, None, None, None, None, &[];
    Hand "hand" None, None, None, None, None, None, &[];
}
