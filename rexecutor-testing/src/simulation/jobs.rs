//! The jobs of a simulation: each does what its data say.

use std::time::Duration;

use chrono::TimeDelta;
use rexecutor::{
    ExecutionResult, Executor, Job,
    executor::{CircuitBreaker, ExecutionError, GroupKey, Limit, OnDiscard, Rate},
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

/// How many jobs of one key of [`Metered`] start in how much time on all nodes.
pub(super) const KEY_RATE: Rate = Rate::new(2, Duration::from_secs(11)).with_burst(2);

/// In how much time of waiting a job of [`Aged`] rises by one priority.
pub(super) const AGING: Duration = Duration::from_secs(5);

/// When [`Fragile`] is paused by itself.
pub(super) const BREAKER: CircuitBreaker = CircuitBreaker::new(3, Duration::from_secs(40), Duration::from_secs(9));

/// Tags that are paused now and then.
pub(super) const TAGS: [&str; 2] = ["red", "blue"];

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
    ($($name:ident $text:literal { $($settings:tt)* })*) => {$(
        pub(super) struct $name;

        #[rexecutor::__private::async_trait]
        impl Executor for $name {
            type Data = Work;
            type Metadata = ();
            const NAME: &'static str = $text;
            const MAX_ATTEMPTS: u16 = 50;
            $($settings)*

            fn group_key(data: &Work) -> Option<GroupKey> {
                let takes_turns = Self::KEY_CONCURRENCY.is_some() || Self::KEY_RATE.is_some() || Self::ORDERED.is_some();
                takes_turns.then(|| GroupKey::of(&data.key))
            }

            fn backoff(_: &Job<Work, ()>) -> TimeDelta {
                TimeDelta::seconds(2)
            }

            async fn execute(job: Job<Work, ()>) -> ExecutionResult {
                work::<Self>(job).await
            }
        }
    )*};
}

executors! {
    Plain "plain" {}
    Narrow "narrow" {
        const MAX_CONCURRENCY: Option<usize> = Some(2);
        const LIMITS: &'static [&'static Limit] = &[&DOOR];
    }
    Scarce "scarce" {
        const CLUSTER_CONCURRENCY: Option<usize> = Some(SCARCE);
    }
    Keyed "keyed" {
        const KEY_CONCURRENCY: Option<usize> = Some(OF_A_KEY);
    }
    Ordered "ordered" {
        const ORDERED: Option<OnDiscard> = Some(OnDiscard::Skip);
    }
    Rated "rated" {
        const RATE_LIMIT: Option<Rate> = Some(RATE);
    }
    Metered "metered" {
        const KEY_RATE: Option<Rate> = Some(KEY_RATE);
    }
    Aged "aged" {
        const AGING: Option<Duration> = Some(AGING);
    }
    Fragile "fragile" {
        const CIRCUIT_BREAKER: Option<CircuitBreaker> = Some(BREAKER);
    }
    Timed "timed" {
        const LIMITS: &'static [&'static Limit] = &[&DOOR];

        fn timeout(_: &Job<Work, ()>) -> Option<Duration> {
            Some(Duration::from_secs(4))
        }
    }
    Called "called" {}
    Ticks "ticks" {}
    Hand "hand" {}
}
